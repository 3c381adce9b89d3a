import { isAscii } from 'node:buffer';
import { createHash, type KeyObject, verify } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import {
  decodeEnvelope,
  type EnvelopeFault,
  EventBatch,
  MAX_PAYLOAD_BYTES,
  PointTable,
  SampleBatch,
  type UplinkHeader,
} from '@parkline/contract';
import Compile from 'typebox/compile';
import { createRows, flag, type Rows } from './sample.ts';

/**
 * Why a message is in quarantine. version, truncated, header: no envelope. subject: sent in another gateway's name.
 * gateway: unknown or not trusted yet. signature: not its key. bomb: too large unpacked. payload: not zstd of JSON.
 * schema: JSON of another shape. columns: lengths differ. value: impossible for its quality or kind. index: outside the
 * point table. table: its point table is not here yet. point: a point that is not this gateway's. time: see `sane`.
 */
export type UplinkFault =
  | EnvelopeFault
  | 'subject'
  | 'gateway'
  | 'signature'
  | 'bomb'
  | 'payload'
  | 'schema'
  | 'columns'
  | 'value'
  | 'index'
  | 'table'
  | 'point'
  | 'time';

/** What a proven message says. */
export type Content =
  | { readonly kind: 'samples'; readonly batch: SampleBatch }
  | { readonly kind: 'points'; readonly hash: string; readonly table: PointTable }
  | { readonly kind: 'events'; readonly events: EventBatch['events'] };

export type Opened =
  | {
      readonly ok: true;
      readonly header: UplinkHeader;
      readonly content: Content;
      readonly detail?: undefined;
    }
  | {
      readonly ok: false;
      readonly why: UplinkFault;
      /** Present when the signature was good: then a receipt may cover it. */
      readonly header?: UplinkHeader;
      readonly detail?: string;
    };

const batchSchema = Compile(SampleBatch);
const tableSchema = Compile(PointTable);
const eventSchema = Compile(EventBatch);

/**
 * Takes a message apart and proves its author. `gatewayId` is the one its subject names; 'proven' instead of its keys is for
 * bytes that were proven when they came. Never throws.
 */
export function openMessage(
  bytes: Uint8Array,
  gatewayId: string,
  keys: readonly KeyObject[] | 'proven' = [],
): Opened {
  const decoded = decodeEnvelope(bytes);
  if (!decoded.ok) return decoded;
  const { header, payload, signed, signature } = decoded.envelope;
  if (header.gatewayId !== gatewayId) return { ok: false, why: 'subject', detail: header.gatewayId };
  if (keys.length === 0) return { ok: false, why: 'gateway' };
  if (keys !== 'proven' && !keys.some((key) => verify(null, signed, key, signature)))
    return { ok: false, why: 'signature' };

  const unpacked = unpack(payload);
  if (!unpacked.ok) return { ...unpacked, header };
  const content = readers[header.kind](unpacked, header);
  return typeof content === 'string' ? { ok: false, why: content, header } : { ok: true, header, content };
}

interface Unpacked {
  readonly ok: true;
  readonly json: Buffer;
  readonly value: unknown;
}

function unpack(payload: Uint8Array): Unpacked | { ok: false; why: 'bomb' | 'payload'; detail: string } {
  try {
    const json = zstdDecompressSync(payload, { maxOutputLength: MAX_PAYLOAD_BYTES });
    // Batches are plain ASCII, and taking them as such costs a twentieth of decoding UTF-8.
    return { ok: true, json, value: JSON.parse(json.toString(isAscii(json) ? 'latin1' : 'utf8')) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return { ok: false, why: code === 'ERR_BUFFER_TOO_LARGE' ? 'bomb' : 'payload', detail: String(error) };
  }
}

function readBatch({ value }: Unpacked, { count }: UplinkHeader): Content | UplinkFault {
  if (!batchSchema.Check(value)) return 'schema';
  const { p, dt, v, q, boundary = [], suspect = [] } = value;
  const marked = [...boundary, ...suspect];
  if (p.length !== count || dt.length !== count || v.length !== count || q.length !== count) return 'columns';
  if (marked.some((i) => i >= count)) return 'columns';
  return { kind: 'samples', batch: value };
}

function readTable({ json, value }: Unpacked, { count }: UplinkHeader): Content | UplinkFault {
  if (!tableSchema.Check(value)) return 'schema';
  if (value.points.length !== count) return 'columns';
  return { kind: 'points', hash: createHash('sha256').update(json).digest('hex'), table: value };
}

function readEvents({ value }: Unpacked, { count }: UplinkHeader): Content | UplinkFault {
  if (!eventSchema.Check(value)) return 'schema';
  if (value.events.length !== count) return 'columns';
  return { kind: 'events', events: value.events };
}

const readers = { samples: readBatch, points: readTable, events: readEvents } as const;

/** A point table as ingest uses it: by index, which point, and whether it counts. */
export interface KnownTable {
  readonly nums: Int32Array;
  readonly points: PointTable['points'];
}

/** Earliest time believed (2000-01-01): before it a clock has lost its battery. */
const EARLIEST = Date.UTC(2000, 0, 1);
/** Up to here ahead of the cloud's clock a sample is plainly good; it counts as suspect from here to `MAX_AHEAD_MS`. */
const SUSPECT_AHEAD_MS = 60_000;
/** Further ahead a sample is not stored: a clock in the year 2100 would open a partition there. */
const MAX_AHEAD_MS = 86_400_000;

/** Whether a sample's time can be stored at all. */
const sane = (at: number, now: number): boolean => at >= EARLIEST && at <= now + MAX_AHEAD_MS;

export type Resolved =
  | {
      readonly ok: true;
      readonly rows: Rows;
      /** Samples left out because their time is not sane: the message is kept in quarantine too. */
      readonly insane: number;
    }
  | { readonly ok: false; readonly why: 'index' | 'value'; readonly detail: string };

/**
 * Puts the points behind the indexes. `now` is the cloud's clock, Unix ms; `isClockHeld` says that the gateway's is known to be
 * far off it.
 */
export function toRows(batch: SampleBatch, table: KnownTable, now: number, isClockHeld = false): Resolved {
  const { t0, p, dt, v, q } = batch;
  const at = dt.map((delta) => t0 + delta);
  const keep = at.map((time) => sane(time, now));
  const count = keep.reduce((sum, kept) => sum + Number(kept), 0);
  const marks = marksOf(batch);
  const rows = createRows(count);
  let n = 0;
  for (let i = 0; i < p.length; i += 1) {
    const point = table.points[p[i]!];
    if (!point)
      return { ok: false, why: 'index', detail: `sample ${i}: point ${p[i]} of ${table.points.length}` };
    const value = v[i]!;
    const quality = q[i]!;
    if (!possible(value, quality, point.kind))
      return { ok: false, why: 'value', detail: `sample ${i}: ${value}` };
    if (!keep[i]) continue;
    rows.num[n] = table.nums[p[i]!]!;
    rows.at[n] = at[i]!;
    rows.value[n] = value ?? NaN;
    rows.quality[n] = quality;
    const isSuspect = isClockHeld || at[i]! > now + SUSPECT_AHEAD_MS;
    rows.flags[n] = marks[i]! | (isSuspect ? flag.suspect : 0);
    n += 1;
  }
  return { ok: true, rows, insane: p.length - count };
}

/** A bad sample has no value, any other has one; a register holds whole counts. */
function possible(value: number | null, quality: number, kind: string): boolean {
  if (value === null || quality === 2) return value === null && quality === 2;
  return kind !== 'register' || Number.isSafeInteger(value);
}

function marksOf({ p, boundary = [], suspect = [] }: SampleBatch): Uint8Array {
  const marks = new Uint8Array(p.length);
  for (const i of boundary) marks[i]! |= flag.boundary;
  for (const i of suspect) marks[i]! |= flag.suspect;
  return marks;
}
