import { type Fault, quote } from './point.ts';
import { countOf } from './text.ts';

/** An object of a parsed JSON or YAML text. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field that is the object's own: `__proto__` in a file is a name like any other. */
export const fieldOf = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

/** A text or number of a field as text, '' when it is absent or anything else. */
export function textOf(fields: Fields, name: string): string {
  const value = fieldOf(fields, name);
  return typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';
}

/** Objects and lists in one text: each costs memory many times its length. */
const MAX_NODES = 3_000_000;

/** Parses JSON. @returns the value, or the fault with the row where the text breaks. */
export function parseJson(text: string): { value: unknown } | { fault: Fault } {
  const nodes = countOf(text, '{', MAX_NODES) + countOf(text, '[', MAX_NODES);
  if (nodes > MAX_NODES) {
    return {
      fault: { row: 0, field: 'file', message: `holds more than ${MAX_NODES} records: import it in pieces` },
    };
  }
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (cause) {
    const message = (cause as Error).message;
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
    const row = text.slice(0, position).split('\n').length;
    const what = message.replace(/,? ?"?\.\.\..*$|in JSON.*$|, "[^]*$/, '').trim();
    return {
      fault: { row, field: 'json', message: `the JSON breaks off here: ${quote(what).slice(1, -1)}` },
    };
  }
}
