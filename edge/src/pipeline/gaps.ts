import { randomUUID } from 'node:crypto';
import type { FaultLog } from '../base/fault-log.ts';
import type { EventLane } from './events.ts';
import { type Gap, type Outbox, OutboxError } from './outbox.ts';

/** A gap that goes on is told in pieces of this length, so that the cloud knows of it while it lasts, ms. */
const PIECE_MS = 600_000;

/** Keeps the account of what was refused. Nothing is ever dropped without a line here, in the log, in the health and in the cloud. */
export interface GapLedger {
  /** Notes refused samples, Unix ms each (at least one). They join the gap that is open, if it is of the same sort. */
  refuse(what: Gap['what'], why: Gap['why'], times: readonly number[]): void;
  /** Everything was taken: the open gap, if any, is over. */
  accepted(): void;
  /** Samples refused since start. */
  refused(): number;
}

export interface GapLedgerDeps {
  readonly outbox: Pick<Outbox, 'saveGap' | 'untoldGaps'>;
  readonly events: EventLane;
  /** Unix ms. */
  readonly now: () => number;
  readonly faults: FaultLog;
}

interface Entry {
  gap: Gap;
  id?: number;
  isSaved: boolean;
  /** Over, and to be told. */
  isOver: boolean;
  /** Unix ms. */
  readonly openedAt: number;
}

export function createGapLedger({ outbox, events, now, faults }: GapLedgerDeps): GapLedger {
  // The last one may be open; those before it only wait to be written and told. A gap of an earlier run is over.
  let entries: Entry[] = untold();
  let open: Entry | undefined;
  let refused = 0;

  function untold(): Entry[] {
    return outbox
      .untoldGaps()
      .map(({ id, ...gap }) => ({ gap, id, isSaved: true, isOver: true, openedAt: gap.from }));
  }

  /** A disk that takes no samples may take no gaps either; then they wait in memory for their turn. */
  function settle(): void {
    try {
      for (const entry of entries) {
        if (!entry.isSaved) entry.id = outbox.saveGap(entry.gap, entry.id);
        entry.isSaved = true;
        if (!entry.isOver) continue;
        events.add({ type: 'gap', id: randomUUID(), at: now(), ...entry.gap }, entry.id);
        entries = entries.filter((one) => one !== entry);
      }
    } catch (error) {
      if (!(error instanceof OutboxError) || error.code !== 'disk') throw error;
    }
  }

  function close(): void {
    if (open) open.isOver = true;
    open = undefined;
  }

  return {
    refuse(what, why, times) {
      refused += times.length;
      const isSame = open?.gap.what === what && open.gap.why === why;
      if (!isSame || now() - open!.openedAt >= PIECE_MS) close();
      if (!open) {
        const empty = { what, why, from: Infinity, to: 0, count: 0 };
        open = { gap: empty, isSaved: false, isOver: false, openedAt: now() };
        entries.push(open);
      }
      open.gap = extended(open.gap, times);
      open.isSaved = false;
      faults.fault('outbox', 'outbox refuses samples', { ...open.gap, why: `${why}, ${what}` });
      settle();
    },
    accepted() {
      if (open) faults.over('outbox', 'outbox takes samples again', open.gap);
      close();
      if (entries.length > 0) settle();
    },
    refused: () => refused,
  };
}

const extended = (gap: Gap, times: readonly number[]): Gap => ({
  ...gap,
  from: times.reduce((a, b) => Math.min(a, b), gap.from),
  to: times.reduce((a, b) => Math.max(a, b), gap.to),
  count: gap.count + times.length,
});
