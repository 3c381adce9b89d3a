import { DriverError } from '@parkline/kit';

/** Where a value lies: a topic below the device's own, and a path into the JSON told there. */
export interface Address {
  /** Below `devices/<username>/`. */
  readonly subtopic: string;
  /** Steps of a JSON pointer (RFC 6901), unescaped; none for a payload that is the value itself. */
  readonly path: readonly string[];
}

/**
 * Reads `<subtopic>:<json pointer>`, such as `state:/open` or `meter/l1:/values/0`, or `<subtopic>` for a bare number.
 * @throws DriverError 'config' that says what is wrong and what would be right.
 */
export function parseAddress(text: string): Address {
  const fail = (what: string): never => {
    throw new DriverError('config', `${what} in address '${text}'`, 'mqtt address');
  };
  const colon = text.indexOf(':');
  const subtopic = colon < 0 ? text : text.slice(0, colon);
  const pointer = colon < 0 ? '' : text.slice(colon + 1);
  if (!isSubtopic(subtopic)) return fail(`'${subtopic}' is not a topic below the device's own`);
  if (pointer !== '' && !pointer.startsWith('/')) return fail(`'${pointer}' does not begin with /`);
  if (/~(?![01])/.test(pointer)) return fail(`~ is written ~0, and a / inside a name ~1,`);
  return { subtopic, path: pointer.split('/').slice(1).map(unescape) };
}

/** The address of a value found at `path`; {@link parseAddress} reads it back. */
export const formatAddress = ({ subtopic, path }: Address): string =>
  path.length === 0 ? subtopic : `${subtopic}:${path.map((step) => `/${escape(step)}`).join('')}`;

/** A topic name without wildcards, empty levels or characters that MQTT (3.1.1, clause 1.5.3) forbids or this syntax needs. */
export const isSubtopic = (text: string): boolean =>
  text.length <= 200 && text.split('/').every((level) => /^[^+#:\p{Cc}]+$/u.test(level));

const unescape = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');
const escape = (step: string): string => step.replaceAll('~', '~0').replaceAll('/', '~1');
