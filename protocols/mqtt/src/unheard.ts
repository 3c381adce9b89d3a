import type { Station, Told } from './station.ts';

/** Messages kept of a device; of more, the first are dropped. */
const MAX_KEPT = 1_000;

export interface Unheard {
  /** From here on the device tells to nobody else. */
  keep(): void;
  /** Everything told since then, in order; no more is kept. */
  take(): readonly { readonly name: string; readonly told: Told }[];
}

/**
 * Keeps what a device tells between two subscriptions, and before the first one what it was promised that it would arrive.
 * @param onDropped Called once for each time that too much was told.
 */
export function createUnheard(station: Station, onDropped: () => void): Unheard {
  let kept: { name: string; told: Told }[] = [];
  let hasDropped = false;
  let isFirst = true;
  let leave: (() => void) | undefined;

  function keep(): void {
    leave ??= station.follow({
      told(name, told) {
        if (isFirst && !told.kept) return;
        kept.push({ name, told });
        if (kept.length <= MAX_KEPT) return;
        kept.shift()?.told.kept?.passed();
        if (!hasDropped) onDropped();
        hasDropped = true;
      },
    });
  }

  keep();
  return {
    keep,
    take() {
      leave?.();
      leave = undefined;
      isFirst = false;
      hasDropped = false;
      const taken = kept;
      kept = [];
      return taken;
    },
  };
}
