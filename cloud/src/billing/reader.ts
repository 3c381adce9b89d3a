import { type Decimal, type Fault, isDate, parseDecimal } from '../metering/index.ts';
import { isObject, type Json, type JsonObject, numberText } from './json.ts';

/** Reads the fields of one JSON object. A field that is missing or wrong is noted by path and read as undefined. */
export interface Reader {
  readonly path: string;
  /** Non-empty text. */
  text(key: string): string | undefined;
  /** A number, or a number in quotes. */
  decimal(key: string, allowed?: 'any' | 'not-negative' | 'positive'): Decimal | undefined;
  integer(key: string, min: number, max: number): number | undefined;
  /** YYYY-MM-DD. */
  date(key: string): string | undefined;
  choice<const T extends string>(key: string, options: readonly T[]): T | undefined;
  /** One of the options, or a list of some of them; as text even where JSON has a number. */
  several(key: string, options: readonly string[]): string[] | undefined;
  object(key: string): Reader | undefined;
  /** Every item must be an object; undefined when one of them has a fault. */
  objects<T>(key: string, read: (item: Reader) => T | undefined): T[] | undefined;
  /** Every item must be text; `check` tells what is wrong with one. */
  texts(key: string, check?: (text: string) => string | undefined): string[] | undefined;
  /** Field by field of an object whose keys are data. */
  decimals(key: string): Map<string, Decimal> | undefined;
  /** Reads with `read` when the key is there and not null; null when it is not. */
  optional<T>(key: string, read: () => T | undefined): T | null | undefined;
  fault(key: string, message: string): undefined;
}

/** Reads instants of the scenario in the site's time zone. */
export type ReadInstant = (reader: Reader, key: string) => number | undefined;

const SIGNS = {
  any: () => true,
  'not-negative': (units: bigint) => units >= 0n,
  positive: (units: bigint) => units > 0n,
};

export function createReader(value: JsonObject, path: string, faults: Fault[]): Reader {
  const at = (key: string): string => (path ? `${path}.${key}` : key);

  function fault(key: string, message: string): undefined {
    faults.push({ source: 'scenario', field: at(key), message });
  }

  /** The value of a key, when `want` accepts it. */
  function pick<T>(key: string, kind: string, want: (found: Json) => T | undefined): T | undefined {
    const found = Object.hasOwn(value, key) ? value[key] : undefined;
    if (found === undefined) return fault(key, 'is missing');
    return want(found) ?? fault(key, `must be ${kind}, not ${show(found)}`);
  }

  const reader: Reader = {
    path,
    fault,
    text: (key) => pick(key, 'text', asText),
    decimal: (key, allowed = 'any') =>
      pick(key, allowed === 'any' ? 'a number' : `a ${allowed.replace('-', ' ')} number`, (found) => {
        const decimal = asDecimal(found);
        return decimal && SIGNS[allowed](decimal.units) ? decimal : undefined;
      }),
    integer: (key, min, max) =>
      pick(key, `a whole number from ${min} to ${max}`, (found) => {
        const text = numberText(found);
        const number = text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : NaN;
        return number >= min && number <= max ? number : undefined;
      }),
    date: (key) =>
      pick(key, 'a date YYYY-MM-DD', (found) =>
        typeof found === 'string' && isDate(found) ? found : undefined,
      ),
    choice: (key, options) =>
      pick(key, `one of ${options.join(', ')}`, (found) => options.find((option) => option === found)),
    several: (key, options) =>
      pick(key, `one or several of ${options.join(', ')}`, (found) => {
        const texts = (asList(found) ?? [found]).map((item) => numberText(item) ?? asText(item) ?? '');
        return texts.length > 0 && texts.every((text) => options.includes(text)) ? texts : undefined;
      }),
    object: (key) =>
      pick(key, 'an object', (found) => (isObject(found) ? createReader(found, at(key), faults) : undefined)),
    objects: (key, read) =>
      all(pick(key, 'a list', asList), (item, index) => {
        const name = `${key}[${index}]`;
        if (!isObject(item)) return fault(name, `must be an object, not ${show(item)}`);
        return read(createReader(item, at(name), faults));
      }),
    texts: (key, check) =>
      all(pick(key, 'a list', asList), (item, index) => {
        const text = asText(item);
        if (text === undefined) return fault(`${key}[${index}]`, `must be text, not ${show(item)}`);
        const wrong = check?.(text);
        return wrong ? fault(`${key}[${index}]`, wrong) : text;
      }),
    decimals: (key) => {
      const entries = pick(key, 'an object', (found) =>
        isObject(found) ? Object.entries(found) : undefined,
      );
      const read = all(entries, ([name, found]): [string, Decimal] | undefined => {
        const decimal = asDecimal(found);
        if (decimal && decimal.units >= 0n) return [name, decimal];
        return fault(`${key}.${name}`, `must be a not negative number, not ${show(found)}`);
      });
      return read && new Map(read);
    },
    optional: (key, read) => (value[key] === undefined || value[key] === null ? null : read()),
  };
  return reader;
}

type Complete<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

/** The object itself when no field is undefined, that is: had a fault. */
export function complete<T extends object>(fields: T): Complete<T> | undefined {
  return Object.values(fields).includes(undefined) ? undefined : (fields as Complete<T>);
}

/** Reads every item, so that all faults are found; undefined when one had any. */
function all<T, R>(
  items: readonly T[] | undefined,
  read: (item: T, index: number) => R | undefined,
): R[] | undefined {
  const found = items?.map(read);
  return found?.includes(undefined) ? undefined : (found as R[] | undefined);
}

function asText(value: Json): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function asDecimal(value: Json): Decimal | undefined {
  const text = typeof value === 'string' ? value : numberText(value);
  return text === undefined ? undefined : parseDecimal(text);
}

function asList(value: Json): readonly Json[] | undefined {
  return Array.isArray(value) ? (value as readonly Json[]) : undefined;
}

function show(value: Json): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  const text = numberText(value) ?? JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
