import { encodeEnvelope, type PointKind } from '@parkline/contract';
import { type EncodedTable, encodeBatch, type StampedSample } from './codec.ts';
import type { GapLedger } from './gaps.ts';
import { type Outbox, OutboxError, type Room } from './outbox.ts';
import { createThinning } from './thin.ts';

/** Samples per message: large enough to compress well, small enough to lose none of the 1 s freshness at full rate. */
const MAX_SAMPLES = 1_000;

export interface BatcherDeps {
  readonly gatewayId: string;
  readonly outbox: Pick<Outbox, 'append' | 'room' | 'tableHash'>;
  readonly table: EncodedTable;
  /** Of the point with this index in the table. */
  readonly kindOf: (point: number) => PointKind | undefined;
  /** While the outbox is filling, one reading of each gauge in this time is kept, ms. */
  readonly thinToMs: number;
  /** Ed25519 by the gateway's key. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** Unix ms. */
  readonly now: () => number;
  readonly gaps: GapLedger;
  readonly onAppended: () => void;
  /** Told of every sample that was refused, so that its point is sent again as soon as there is room. */
  readonly onRefused: (sample: StampedSample) => void;
}

/** Collects samples and turns them into messages on disk. A sample is accepted when the flush that holds it returns. */
export interface Batcher {
  /** Flushes by itself at 1,000 samples. */
  add(sample: StampedSample): void;
  /** Writes what is there. Called once a second. A full or failing disk ends in a declared gap, not in an exception. */
  flush(): void;
}

export function createBatcher(deps: BatcherDeps): Batcher {
  const { gatewayId, outbox, table, sign, gaps } = deps;
  const thinning = createThinning(deps);
  let waiting: StampedSample[] = [];

  function writeTable(): void {
    const at = deps.now();
    const { bytes, count, hash } = table;
    outbox.append({
      kind: 'points',
      from: at,
      to: at,
      tableHash: hash,
      seal: (epoch, seq) =>
        encodeEnvelope({ gatewayId, epoch, seq, kind: 'points', count, from: at, to: at }, bytes, sign),
    });
  }

  function writeBatch(samples: readonly StampedSample[]): void {
    const { bytes, count, from, to } = encodeBatch(samples, table.hash);
    outbox.append({
      kind: 'samples',
      from,
      to,
      seal: (epoch, seq) =>
        encodeEnvelope({ gatewayId, epoch, seq, kind: 'samples', count, from, to }, bytes, sign),
    });
  }

  function refuse(
    [what, why]: readonly ['gauges' | 'all', 'full' | 'disk' | 'thinned'],
    samples: readonly StampedSample[],
  ): void {
    gaps.refuse(
      what,
      why,
      samples.map(({ at }) => at),
    );
    samples.forEach(deps.onRefused);
  }

  function write(samples: readonly StampedSample[]): void {
    const room = outbox.room();
    const kept = samples.filter((sample) => thinning.keeps(sample, room));
    if (kept.length > 0) {
      // A new outbox or a changed mapping: batches may only name a table that is on its way.
      if (outbox.tableHash() !== table.hash) writeTable();
      writeBatch(kept);
      deps.onAppended();
    }
    if (room === 'all') gaps.accepted();
    else if (kept.length < samples.length) {
      const isKept = new Set(kept);
      refuse(
        refusals[room],
        samples.filter((sample) => !isKept.has(sample)),
      );
    }
  }

  function flush(): void {
    if (waiting.length === 0) return;
    const samples = waiting;
    waiting = [];
    try {
      write(samples);
    } catch (error) {
      if (!(error instanceof OutboxError) || error.code !== 'disk') throw error;
      refuse(['all', 'disk'], samples);
    }
  }

  return {
    add(sample) {
      waiting.push(sample);
      if (waiting.length >= MAX_SAMPLES) flush();
    },
    flush,
  };
}

const refusals = {
  thinned: ['gauges', 'thinned'],
  registers: ['gauges', 'full'],
  none: ['all', 'full'],
} as const satisfies Record<Exclude<Room, 'all'>, unknown>;
