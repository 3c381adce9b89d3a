import { createHash } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import {
  type EventBatch,
  type GatewayEvent,
  type PointTable,
  qualityCode,
  type Quality,
  type SampleBatch,
} from '@parkline/contract';

/** A sample on its way into a batch: its point by index in the table, its time final. */
export interface StampedSample {
  /** Index in the point table. */
  readonly point: number;
  /** Unix ms. */
  readonly at: number;
  readonly value: number | null;
  readonly quality: Quality;
  readonly boundary: boolean;
  readonly suspect: boolean;
}

/** A compressed message body and what its header must say of it. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Unix ms of the earliest and the latest sample. */
  readonly from: number;
  readonly to: number;
}

/** A point table with the hash that batches name it by. */
export interface EncodedTable {
  readonly bytes: Uint8Array;
  /** SHA-256 of the uncompressed JSON, hex. */
  readonly hash: string;
  readonly count: number;
}

/** Packs samples (at least one) into columns and compresses them. */
export function encodeBatch(samples: readonly StampedSample[], tableHash: string): Payload {
  const from = samples.reduce((least, { at }) => Math.min(least, at), Infinity);
  const boundary = indexesOf(samples, ({ boundary }) => boundary);
  const suspect = indexesOf(samples, ({ suspect }) => suspect);
  const batch: SampleBatch = {
    table: tableHash,
    t0: from,
    p: samples.map(({ point }) => point),
    dt: samples.map(({ at }) => at - from),
    v: samples.map(({ value }) => value),
    q: samples.map(({ quality }) => qualityCode(quality)),
    ...(boundary.length > 0 && { boundary }),
    ...(suspect.length > 0 && { suspect }),
  };
  return encodeSamples(batch);
}

/** Packs a batch (of at least one sample) that is in columns already. */
export function encodeSamples(batch: SampleBatch): Payload {
  const { t0, dt } = batch;
  const from = t0 + dt.reduce((least, one) => Math.min(least, one), Infinity);
  const to = t0 + dt.reduce((most, one) => Math.max(most, one), -Infinity);
  return { bytes: compress(JSON.stringify(batch)), count: dt.length, from, to };
}

export function encodeTable(points: PointTable['points']): EncodedTable {
  const json = JSON.stringify({ points } satisfies PointTable);
  return {
    bytes: compress(json),
    hash: createHash('sha256').update(json).digest('hex'),
    count: points.length,
  };
}

/** Packs events, at least one. */
export function encodeEvents(events: readonly GatewayEvent[]): Payload {
  const times = events.map(({ at }) => at);
  const batch: EventBatch = { events: [...events] };
  return {
    bytes: compress(JSON.stringify(batch)),
    count: events.length,
    from: Math.min(...times),
    to: Math.max(...times),
  };
}

const indexesOf = (samples: readonly StampedSample[], is: (sample: StampedSample) => boolean): number[] =>
  samples.flatMap((sample, index) => (is(sample) ? [index] : []));

/** Level 1: on columns it packs as tight as level 3 and costs a third. */
const compress = (json: string): Uint8Array =>
  zstdCompressSync(json, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
