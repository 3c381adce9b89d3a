import { DriverError } from '@parkline/kit';

/** A value in what is told under a name: a topic below the device's own, or a metric. */
export interface Place {
  /** Below the device's own topic. */
  readonly subtopic: string;
  /** Steps of a JSON pointer (RFC 6901), unescaped; none for a payload that is the value itself. */
  readonly path: readonly string[];
}

/** Where a value lies, and where it is told to the device; a point without a command cannot be written. */
export interface Address extends Place {
  readonly command?: Place;
}

const ARROW = ' -> ';

/**
 * Reads `<subtopic>:<json pointer>`, such as `state:/open` or `meter/l1:/values/0`, or `<subtopic>` for a bare number. For a
 * point that can be written the place of its command follows: `state:/open -> cmd/barrier:/open`.
 * @throws DriverError 'config' that says what is wrong and what would be right.
 */
export function parseAddress(text: string): Address {
  const [read = '', command, ...rest] = text.split(ARROW);
  if (rest.length > 0)
    throw new DriverError('config', `more than one${ARROW}in address '${text}'`, 'mqtt address');
  return { ...parsePlace(read, text), ...(command !== undefined && { command: parsePlace(command, text) }) };
}

function parsePlace(part: string, text: string): Place {
  const fail = (what: string): never => {
    throw new DriverError('config', `${what} in address '${text}'`, 'mqtt address');
  };
  const colon = part.indexOf(':');
  const subtopic = colon < 0 ? part : part.slice(0, colon);
  const pointer = colon < 0 ? '' : part.slice(colon + 1);
  if (!isSubtopic(subtopic)) return fail(`'${subtopic}' is not a topic below the device's own`);
  const path = stepsOf(pointer);
  return typeof path === 'string' ? fail(path) : { subtopic, path };
}

/** The steps of a JSON pointer, or what is wrong with it. */
export function stepsOf(pointer: string): readonly string[] | string {
  if (pointer !== '' && !pointer.startsWith('/')) return `'${pointer}' does not begin with /`;
  if (/~(?![01])/.test(pointer)) return `~ is written ~0, and a / inside a name ~1,`;
  return pointer.split('/').slice(1).map(unescape);
}

/** The address of a value found at `path`; {@link parseAddress} reads it back. */
export const formatAddress = ({ subtopic, path }: Place): string =>
  path.length === 0 ? subtopic : `${subtopic}:${path.map((step) => `/${escape(step)}`).join('')}`;

/** A topic name without wildcards, empty levels or characters that MQTT (3.1.1, clause 1.5.3) forbids or this syntax needs. */
export const isSubtopic = (text: string): boolean =>
  text.length <= 200 && text.split('/').every((level) => /^[^+#:\p{Cc}]+$/u.test(level));

const unescape = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');
const escape = (step: string): string => step.replaceAll('~', '~0').replaceAll('/', '~1');
