import { zstdDecompressSync } from 'node:zlib';
import {
  decodeEnvelope,
  encodeEnvelope,
  MAX_PAYLOAD_BYTES,
  type PointTable,
  type SampleBatch,
} from '@parkline/contract';
import { createHash } from 'node:crypto';
import { encodeSamples } from './codec.ts';
import type { Outbox } from './outbox.ts';

export interface ResyncOrder {
  /** Unix ms, from inclusive, to exclusive. */
  readonly from: number;
  readonly to: number;
  /** Ids of the points; every point when absent. */
  readonly points?: ReadonlySet<string>;
}

export interface Resynced {
  /** Messages written, and samples in them. */
  readonly messages: number;
  readonly samples: number;
  /** Unix ms of the oldest sample that is still here; null when there is none. */
  readonly heldSince: number | null;
}

export interface ResyncDeps {
  readonly outbox: Pick<Outbox, 'holding' | 'heldSince' | 'envelope' | 'append' | 'room' | 'tables'>;
  readonly gatewayId: string;
  /** Ed25519 by the gateway's key. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** Told after each message, of all. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** Messages between two looks at the room that is left. */
const ROOM_EVERY = 64;
/** Samples of messages that begin in the same such time are told apart from their own copies, ms. */
const TOGETHER_MS = 600_000;

/** There is no room (any more) to send again what was sent before: new readings come first. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
}

/**
 * Sends again what the outbox still holds of a time, as new messages: a receipt covers the old ones for ever, so only new
 * numbers reach a database that lost rows. The cloud keeps what it has: an equal reading is no news there.
 * @throws NoRoomError as soon as the outbox is filling up, saying how much went again until then.
 */
export function resync(order: ResyncOrder, deps: ResyncDeps): Resynced {
  const { outbox } = deps;
  const found = outbox.holding(order.from, order.to);
  const tables = readTables(outbox);
  const copies = createCopyFilter();
  let [messages, samples] = [0, 0];
  found.forEach((seq, index) => {
    if (index % ROOM_EVERY === 0) assertRoom(outbox, samples);
    const batch = readBatch(outbox.envelope(seq));
    const kept = batch && filterBatch(batch, order, tables.get(batch.table), copies);
    if (kept && kept.p.length > 0) {
      append(kept, deps);
      messages += 1;
      samples += kept.p.length;
    }
    deps.onProgress?.(index + 1, found.length);
  });
  return { messages, samples, heldSince: outbox.heldSince() };
}

/** Knows a reading that was sent again before and so is there twice. */
type CopyFilter = (t0: number, id: string, at: number) => boolean;

/**
 * A message and its copies begin at the same time, so that readings need not be remembered for longer than a while: a day of
 * them is more than a set can hold.
 */
function createCopyFilter(): CopyFilter {
  const seen = new Set<string>();
  let time = NaN;
  return (t0, id, at) => {
    const now = Math.floor(t0 / TOGETHER_MS);
    if (now !== time) seen.clear();
    time = now;
    const key = `${id}/${at}`;
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  };
}

function assertRoom({ room }: Pick<Outbox, 'room'>, samples: number): void {
  if (room() === 'all') return;
  const done = samples === 0 ? '' : `; ${samples} readings go again`;
  throw new NoRoomError(
    `the outbox is filling up: sending more again would cost new readings their room${done}`,
  );
}

/** Every point table of the file, by its hash. */
function readTables(outbox: Pick<Outbox, 'tables' | 'envelope'>): Map<string, PointTable['points']> {
  const tables = new Map<string, PointTable['points']>();
  for (const seq of outbox.tables()) {
    const json = bodyOf(outbox.envelope(seq));
    if (!json) continue;
    const hash = createHash('sha256').update(json).digest('hex');
    tables.set(hash, (JSON.parse(json.toString()) as PointTable).points);
  }
  return tables;
}

function readBatch(envelope: Uint8Array | undefined): SampleBatch | undefined {
  const json = bodyOf(envelope);
  return json && (JSON.parse(json.toString()) as SampleBatch);
}

/** What we wrote and signed ourselves: it is taken as it stands. Undefined when it was deleted meanwhile. */
function bodyOf(envelope: Uint8Array | undefined): Buffer | undefined {
  const decoded = envelope && decodeEnvelope(envelope);
  if (!decoded?.ok) return undefined;
  return zstdDecompressSync(decoded.envelope.payload, { maxOutputLength: MAX_PAYLOAD_BYTES });
}

/** The samples of a batch that are asked for and were not taken yet. */
function filterBatch(
  { table, t0, p, dt, v, q, boundary = [], suspect = [] }: SampleBatch,
  { from, to, points }: ResyncOrder,
  ids: PointTable['points'] | undefined,
  isCopy: CopyFilter,
): SampleBatch {
  const kept = p.flatMap((point, index) => {
    const at = t0 + dt[index]!;
    const id = ids?.[point]?.id;
    if (id === undefined || at < from || at >= to || (points && !points.has(id))) return [];
    return isCopy(t0, id, at) ? [] : [index];
  });
  const pick = <T>(column: readonly T[]): T[] => kept.map((index) => column[index]!);
  const marks = (marked: readonly number[]): number[] => {
    const set = new Set(marked);
    return kept.flatMap((index, place) => (set.has(index) ? [place] : []));
  };
  const marked = { boundary: marks(boundary), suspect: marks(suspect) };
  return {
    ...{ table, t0, p: pick(p), dt: pick(dt), v: pick(v), q: pick(q) },
    ...(marked.boundary.length > 0 && { boundary: marked.boundary }),
    ...(marked.suspect.length > 0 && { suspect: marked.suspect }),
  };
}

function append(batch: SampleBatch, { outbox, gatewayId, sign }: ResyncDeps): void {
  const { bytes, count, from, to } = encodeSamples(batch);
  outbox.append({
    kind: 'samples',
    from,
    to,
    seal: (epoch, seq) =>
      encodeEnvelope({ gatewayId, epoch, seq, kind: 'samples', count, from, to }, bytes, sign),
  });
}
