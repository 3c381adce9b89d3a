import type { Station, Told } from './station.ts';

/** Messages kept of a device; of more, the first are dropped. */
const MAX_KEPT = 100;

export interface Unheard {
  /** From now on the device tells to nobody else. */
  keep(): void;
  /** Everything told since then, in order; no more is kept. */
  take(): readonly { readonly subtopic: string; readonly told: Told }[];
}

/** Keeps what a device tells between two subscriptions. @param onDropped Called once for each time that too much was told. */
export function createUnheard(station: Station, onDropped: () => void): Unheard {
  let kept: { subtopic: string; told: Told }[] = [];
  let hasDropped = false;
  let leave: (() => void) | undefined;
  return {
    keep() {
      leave ??= station.follow({
        told(subtopic, told) {
          kept.push({ subtopic, told });
          if (kept.length <= MAX_KEPT) return;
          kept.shift();
          if (!hasDropped) onDropped();
          hasDropped = true;
        },
      });
    },
    take() {
      leave?.();
      leave = undefined;
      hasDropped = false;
      const taken = kept;
      kept = [];
      return taken;
    },
  };
}
