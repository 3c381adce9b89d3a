import type { FaultLog } from '../base/fault-log.ts';
import { type Gap, type Outbox, OutboxError } from './outbox.ts';

/** Keeps the account of what was refused. Nothing is ever dropped without a line here, in the log and in the health. */
export interface GapLedger {
  /** Notes refused samples, Unix ms each (at least one). They join the gap that is open, if it is of the same sort. */
  refuse(what: Gap['what'], why: Gap['why'], times: readonly number[]): void;
  /** Everything was taken: the open gap, if any, is over. */
  accepted(): void;
  /** Samples refused since start. */
  refused(): number;
}

interface Entry {
  gap: Gap;
  id?: number;
  isSaved: boolean;
}

export function createGapLedger(deps: { outbox: Pick<Outbox, 'saveGap'>; faults: FaultLog }): GapLedger {
  const { outbox, faults } = deps;
  let entries: Entry[] = []; // The last one is open; those before it only wait to be written.
  let open: Entry | undefined;
  let refused = 0;

  /** A disk that takes no samples may take no gaps either; then they wait in memory for their turn. */
  function save(): void {
    try {
      for (const entry of entries.filter(({ isSaved }) => !isSaved)) {
        entry.id = outbox.saveGap(entry.gap, entry.id);
        entry.isSaved = true;
      }
      entries = open ? [open] : [];
    } catch (error) {
      if (!(error instanceof OutboxError) || error.code !== 'disk') throw error;
    }
  }

  return {
    refuse(what, why, times) {
      refused += times.length;
      if (open?.gap.what === what && open.gap.why === why) {
        open.gap = extended(open.gap, times);
        open.isSaved = false;
      } else {
        open = { gap: extended({ what, why, from: Infinity, to: 0, count: 0 }, times), isSaved: false };
        entries.push(open);
      }
      faults.fault('outbox', 'outbox refuses samples', { ...open.gap, why: `${why}, ${what}` });
      save();
    },
    accepted() {
      if (open) faults.over('outbox', 'outbox takes samples again', open.gap);
      open = undefined;
      if (entries.length > 0) save();
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
