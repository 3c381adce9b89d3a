import { judge, type PointRef, scaled } from '@parkline/kit';

/** A payload read as JSON, or why it is none. */
export type Document =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

export type Decoded =
  { readonly ok: true; readonly value: number } | { readonly ok: false; readonly why: string };

/** A source time this far before its arrival is not believed: the clock is wrong, or the news is old, ms. */
const SLOWEST_MS = 30_000;
/** A source time this far after its arrival is not believed; nearer ones count as the arrival, ms. */
const FASTEST_MS = 2_000;

export function parsePayload(bytes: Uint8Array): Document {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    // SyntaxError quotes the payload, which does not belong in a quality reason.
    return { ok: false, why: bytes.length === 0 ? 'empty payload' : 'payload is not JSON' };
  }
}

/** The value at `path`, scaled as the point says. Never throws, whatever a device wrote. */
export function decodePoint(
  document: Document,
  path: readonly string[],
  { scale, kind, limits }: Pick<PointRef, 'scale' | 'kind' | 'limits'>,
): Decoded {
  if (!document.ok) return document;
  const found = stepInto(document.value, path);
  if (found === undefined) return refused(`no ${shown(path)} in the payload`);
  const raw = typeof found === 'boolean' ? Number(found) : found;
  if (typeof raw !== 'number')
    return refused(`${shown(path)} is ${nameOf(raw)}, neither number nor true or false`);
  const verdict = judge(raw, limits);
  if (verdict.quality !== 'good') return refused(verdict.why);
  const value = kind === 'register' ? Math.round(raw * scale) : scaled(raw, scale);
  if (!Number.isFinite(value)) return refused('infinite');
  if (kind === 'register' && !Number.isSafeInteger(value)) return refused('above 2^53');
  return { ok: true, value };
}

/** When it happened: the payload's own `ts` (Unix ms) where one can believe it, else its arrival. */
export function sourceTime(document: Document, receivedAt: number): number {
  const ts = document.ok ? stepInto(document.value, ['ts']) : undefined;
  if (typeof ts !== 'number' || !Number.isInteger(ts)) return receivedAt;
  const isBelievable = ts >= receivedAt - SLOWEST_MS && ts <= receivedAt + FASTEST_MS;
  return isBelievable ? Math.min(ts, receivedAt) : receivedAt;
}

/** Objects in objects deeper than this hold nothing that a person would look for. */
const MAX_DEPTH = 16;

/** Paths of the numbers, trues and falses in a document, at most `limit` of them. */
export function pathsOf(document: Document, limit: number): string[][] {
  const found: string[][] = [];
  const rest: [path: string[], value: unknown][] = document.ok ? [[[], document.value]] : [];
  for (let next = rest.shift(); next && found.length < limit; next = rest.shift()) {
    const [path, value] = next;
    if (typeof value === 'number' || typeof value === 'boolean') found.push(path);
    else if (typeof value === 'object' && value !== null && path.length < MAX_DEPTH)
      for (const [key, child] of Object.entries(value).slice(0, limit)) rest.push([[...path, key], child]);
    if (rest.length > 10 * limit) rest.length = 10 * limit;
  }
  return found;
}

/** Own properties and array elements only: no payload reaches a prototype. */
function stepInto(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined;
    if (Array.isArray(here) && !/^(0|[1-9]\d*)$/.test(step)) return undefined;
    here = (here as Record<string, unknown>)[step];
  }
  return here;
}

const refused = (why: string): Decoded => ({ ok: false, why });
const shown = (path: readonly string[]): string => (path.length === 0 ? 'payload' : `/${path.join('/')}`);
const nameOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'string'
        ? 'text'
        : 'an object';
