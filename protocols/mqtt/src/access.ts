import { createHash, timingSafeEqual } from 'node:crypto';

const ROOT = 'devices';

/** Whether `password` is the token whose SHA-256 is `sha256` (hex). Takes as long for an unknown user. */
export function isToken(password: Uint8Array, sha256: string | undefined): boolean {
  const told = createHash('sha256').update(password).digest();
  const isEqual = timingSafeEqual(told, Buffer.from(sha256 ?? '0'.repeat(64), 'hex'));
  return isEqual && sha256 !== undefined;
}

/** The part of a topic (or filter) below the device's own; undefined when it lies elsewhere. */
export function below(username: string, topic: string): string | undefined {
  const own = `${ROOT}/${username}/`;
  return topic.startsWith(own) && topic.length > own.length ? topic.slice(own.length) : undefined;
}
