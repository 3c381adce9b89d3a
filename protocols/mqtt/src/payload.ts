import { engineering, judge, type PointRef } from '@parkline/kit';

/** A payload read as JSON, or why it is none; `text` is what it says instead, if that is short and printable. */
export type Document =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly why: string; readonly text?: string };

export type Decoded =
  { readonly ok: true; readonly value: number } | { readonly ok: false; readonly why: string };

/** Words for numbers, in lower case: `{ on: 1, off: 0 }`. */
export type Words = Readonly<Record<string, number>>;

/** Where a payload says when it happened. */
export interface TimeRule {
  /** Steps of a JSON pointer. */
  readonly path: readonly string[];
  readonly format: 'ms' | 's' | 'iso';
  /** A time this far before its arrival is not believed: the clock is wrong, or the news is old, ms. */
  readonly maxLagMs: number;
}

export const usualTime: TimeRule = { path: ['ts'], format: 'ms', maxLagMs: 30_000 };
export const usualWords: Words = { on: 1, off: 0, true: 1, false: 0 };

/** A source time this far after its arrival is not believed; nearer ones count as the arrival, ms. */
const FASTEST_MS = 2_000;
/** A longer payload is no word and no number. */
const MAX_TEXT = 100;

export function parsePayload(bytes: Uint8Array): Document {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { ok: false, why: 'payload is not JSON' };
  }
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    // SyntaxError quotes the payload, which does not belong in a quality reason.
    if (bytes.length === 0) return { ok: false, why: 'empty payload' };
    const isShort = text.length <= MAX_TEXT;
    return { ok: false, why: 'payload is not JSON', ...(isShort && { text: text.trim() }) };
  }
}

/** The value at `path`, scaled as the point says. Never throws, whatever a device wrote. */
export function decodePoint(
  document: Document,
  path: readonly string[],
  { scale, offset, kind, limits }: Pick<PointRef, 'scale' | 'offset' | 'kind' | 'limits'>,
  words: Words = usualWords,
): Decoded {
  const raw = rawAt(document, path, words);
  if (typeof raw !== 'number') return raw;
  const verdict = judge(raw, limits);
  if (verdict.quality !== 'good') return refused(verdict.why);
  const value =
    kind === 'register'
      ? Math.round(raw * scale)
      : engineering(raw, { scale, ...(offset !== undefined && { offset }) });
  if (!Number.isFinite(value)) return refused('infinite');
  if (kind === 'register' && !Number.isSafeInteger(value)) return refused('above 2^53');
  return { ok: true, value };
}

/** The number at `path` before any scaling, or why there is none. */
export function rawAt(
  document: Document,
  path: readonly string[],
  words: Words,
): number | Extract<Decoded, { ok: false }> {
  if (!document.ok) {
    if (path.length > 0 || document.text === undefined) return refused(document.why);
    const found = wordOf(document.text, words) ?? decimalOf(document.text);
    return found ?? refused('payload is neither JSON, nor a number, nor a word that was declared');
  }
  const found = stepInto(document.value, path);
  if (found === undefined) return refused(`no ${shown(path)} in the payload`);
  if (typeof found === 'boolean') return Number(found);
  if (typeof found === 'bigint') return refused('above 2^53');
  if (typeof found === 'number') return found;
  const word = typeof found === 'string' ? wordOf(found, words) : undefined;
  return word ?? refused(`${shown(path)} is ${nameOf(found)}, neither number nor true or false`);
}

const wordOf = (text: string, words: Words): number | undefined => {
  const word = text.toLowerCase();
  return Object.hasOwn(words, word) ? words[word] : undefined;
};

/** What JSON does not take for a number and people do: +5, .5, 007. */
const decimalOf = (text: string): number | undefined =>
  /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;

/** When it happened: the payload's own time where one can believe it, else its arrival. */
export function sourceTime(document: Document, receivedAt: number, rule: TimeRule = usualTime): number {
  const told = document.ok ? stepInto(document.value, rule.path) : undefined;
  return believable(millisOf(told, rule.format), receivedAt, rule.maxLagMs) ?? receivedAt;
}

/** `at` (Unix ms) if it is neither too old nor of the future; one a little ahead is the arrival. */
export function believable(at: number | undefined, receivedAt: number, maxLagMs: number): number | undefined {
  if (at === undefined || !Number.isInteger(at)) return undefined;
  return at >= receivedAt - maxLagMs && at <= receivedAt + FASTEST_MS ? Math.min(at, receivedAt) : undefined;
}

function millisOf(told: unknown, format: TimeRule['format']): number | undefined {
  if (format === 'iso') {
    const hasZone = typeof told === 'string' && /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(told);
    return hasZone ? Date.parse(told) : undefined; // Without a zone it is the time of who knows where.
  }
  if (typeof told !== 'number') return undefined;
  return format === 's' ? Math.round(told * 1_000) : told;
}

/** Objects in objects deeper than this hold nothing that a person would look for. */
const MAX_DEPTH = 16;

/** Paths of the numbers, trues, falses and known words in a document, at most `limit` of them. */
export function pathsOf(document: Document, limit: number, words: Words = usualWords): string[][] {
  if (!document.ok) return typeof rawAt(document, [], words) === 'number' ? [[]] : [];
  const found: string[][] = [];
  const rest: [path: string[], value: unknown][] = [[[], document.value]];
  for (let next = rest.shift(); next && found.length < limit; next = rest.shift()) {
    const [path, value] = next;
    const isWord = typeof value === 'string' && wordOf(value, words) !== undefined;
    if (typeof value === 'number' || typeof value === 'boolean' || isWord) found.push(path);
    else if (typeof value === 'object' && value !== null && path.length < MAX_DEPTH)
      for (const [key, child] of Object.entries(value).slice(0, limit)) rest.push([[...path, key], child]);
    if (rest.length > 10 * limit) rest.length = 10 * limit;
  }
  return found;
}

/** Own properties and array elements only: no payload reaches a prototype. */
export function stepInto(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined;
    if (Array.isArray(here) && !/^(0|[1-9]\d*)$/.test(step)) return undefined;
    here = (here as Record<string, unknown>)[step];
  }
  return here;
}

const refused = (why: string) => ({ ok: false, why }) as const;
const shown = (path: readonly string[]): string => (path.length === 0 ? 'payload' : `/${path.join('/')}`);
const nameOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'string'
        ? 'text'
        : 'an object';
