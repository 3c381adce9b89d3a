import { MAX_EXACT_COUNT } from '@parkline/contract/exact';
import { engineering, judge, type PointRef, type Sample, scaled } from '@parkline/kit';

/** A DataValue (OPC 10000-4 clause 7.11), freed from the library. */
export interface Reading {
  /** Name of the built-in type: 'Float', 'Boolean', 'UInt64'. */
  readonly type: string;
  readonly isArray: boolean;
  /** 64-bit integers come as [high word, low word]. */
  readonly value: unknown;
  readonly status: Status;
  /** Unix ms; undefined when the server gave none. */
  readonly sourceAt: number | undefined;
}

export interface Status {
  /** As in OPC 10000-6 annex A: 'BadNodeIdUnknown'. */
  readonly name: string;
  /** All 32 bits. */
  readonly code: number;
}

/** When a reading was asked for and came, Unix ms. */
export interface Times {
  readonly beganAt: number;
  readonly at: number;
}

type Verdict = Pick<Sample, 'value' | 'quality' | 'why'>;

/** What a reading says about its point. */
export function sampleOf(ref: PointRef, reading: Reading, times: Times): Sample {
  return { pointId: ref.pointId, ...times, ...verdictOf(ref, reading) };
}

export const badSample = ({ pointId }: PointRef, why: string, times: Times): Sample => ({
  pointId,
  ...times,
  value: null,
  quality: 'bad',
  why,
});

const bad = (why: string): Verdict => ({ value: null, quality: 'bad', why });

/** The two highest bits of a status are its severity (OPC 10000-4 clause 7.39.1): good, uncertain, bad. */
export const severityOf = ({ code }: Status): 'good' | 'uncertain' | 'bad' =>
  (['good', 'uncertain', 'bad', 'bad'] as const)[code >>> 30]!;

function verdictOf(ref: PointRef, reading: Reading): Verdict {
  const severity = severityOf(reading.status);
  if (severity === 'bad') return bad(reading.status.name);
  const raw = numberOf(reading);
  if (typeof raw === 'string') return bad(raw);
  const verdict = judge(raw, ref.limits);
  if (verdict.quality !== 'good') return bad(verdict.why);
  const value = ref.kind === 'register' ? Math.round(scaled(raw, ref.scale)) : engineering(raw, ref);
  if (ref.kind === 'register' && Math.abs(value) > MAX_EXACT_COUNT) return bad('above 2^53');
  if (severity !== 'good') return { value, quality: 'uncertain', why: reading.status.name };
  return hasOverflowed(reading.status)
    ? { value, quality: 'uncertain', why: 'earlier changes were lost: the queue of the server is too short' }
    : { value, quality: 'good' };
}

/** Info type 01 with the overflow bit (OPC 10000-4 clause 7.39.1): the server threw away what came before this value. */
const hasOverflowed = ({ code }: Status): boolean => (code & 0xc80) === 0x480;

/** The number of a variable, or why it is none. */
function numberOf({ type, isArray, value }: Reading): number | string {
  if (isArray) return `an array of ${type} is not a number`;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (type === 'Float' && typeof value === 'number') return shortestFloat32(value);
  if (type === 'Int64' || type === 'UInt64') return wholeOf(type, value);
  if (typeof value === 'number') return value;
  return type === 'Null' ? 'no value' : `a ${type} is not a number`;
}

/** A whole number past 2^53 would be rounded without a word. */
function wholeOf(type: 'Int64' | 'UInt64', value: unknown): number | string {
  const [high, low] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (typeof high !== 'number' || typeof low !== 'number') return `no ${type}`;
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  const whole = Number(type === 'Int64' ? BigInt.asIntN(64, bits) : bits);
  return Math.abs(whole) > MAX_EXACT_COUNT ? 'above 2^53' : whole;
}

/** The shortest decimal that is this float32: 230.1, not 230.10000610351562. A float32 has 6 to 9 significant digits. */
export function shortestFloat32(float: number): number {
  if (Number.isInteger(float) || !Number.isFinite(float)) return float;
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return Number(float.toPrecision(9));
}

/** No server keeps a change longer than this before it tells, ms: its subscription would be over. */
const OLDEST_MS = 90_000;

/**
 * Says when a notified value came to be: the server's source time where that can be true, else when it was received. A value may
 * have stood for hours before `since`, when the subscription began; then the time it was told is the one that counts. A change
 * told without delay whose time is older than its way, `onTheWayMs`, shows a server whose clock is slow: then no time of its is
 * believed, those of changes it kept included.
 */
export function createSourceClock(since: number, onTheWayMs: () => number) {
  let isSlow = false;
  /** @param isKept The server had to keep it for a while. */
  return (sourceAt: number | undefined, receivedAt: number, isKept: boolean): number => {
    if (sourceAt === undefined || sourceAt < since || sourceAt > receivedAt) return receivedAt;
    const age = receivedAt - sourceAt;
    if (!isKept) isSlow = age > onTheWayMs();
    return isSlow || age > OLDEST_MS ? receivedAt : sourceAt;
  };
}

/** When a value that was asked for came to be: the source time if the server looked for this very request, else the answer's. */
export const readAt = (sourceAt: number | undefined, { beganAt, at }: Times): number =>
  sourceAt !== undefined && sourceAt >= beganAt && sourceAt <= at ? sourceAt : at;
