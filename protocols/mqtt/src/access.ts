import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether `password` is the token whose SHA-256 is `sha256` (hex). Takes as long for an unknown user. */
export function isToken(password: Uint8Array, sha256: string | undefined): boolean {
  const told = createHash('sha256').update(password).digest();
  const isEqual = timingSafeEqual(told, Buffer.from(sha256 ?? '0'.repeat(64), 'hex'));
  return isEqual && sha256 !== undefined;
}

/** Where a device of the gateway's broker tells, unless its configuration names another place. */
export const rootOf = (username: string): string => `devices/${username}`;

/** The part of a topic (or filter) below `root`; undefined when it lies elsewhere. */
export function below(root: string, topic: string): string | undefined {
  return topic.startsWith(`${root}/`) && topic.length > root.length + 1
    ? topic.slice(root.length + 1)
    : undefined;
}

/** Whether a filter (MQTT 3.1.1, clause 4.7) takes in a topic. */
export function isMatch(filter: string, topic: string): boolean {
  const levels = topic.split('/');
  const wanted = filter.split('/');
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true;
    if (index >= levels.length || (level !== '+' && level !== levels[index])) return false;
  }
  return wanted.length === levels.length;
}
