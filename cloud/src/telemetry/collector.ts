/** Gathers items for a writer: the next batch grows while the last one is being written. */
export interface Collector<T> {
  /** Adds an item of `weight`. Resolves at once, or, while two batches wait, when the writer has taken one. */
  push(item: T, weight: number): Promise<void>;
  /** The next batch: `full` weight, or what is there `waitMs` after its first item. Empty only after `end`. */
  take(): Promise<T[]>;
  /** No more items come: `take` hands out the rest at once. */
  end(): void;
}

export interface CollectorOptions {
  readonly full: number;
  readonly waitMs: number;
  /** setTimeout of the process, or of a test. */
  readonly timer: (callback: () => void, ms: number) => { unref(): unknown };
}

export function createCollector<T>({ full, waitMs, timer }: CollectorOptions): Collector<T> {
  const items: { readonly item: T; readonly weight: number }[] = [];
  let weight = 0;
  let due = false;
  let ended = false;
  /** Counts batches, so that the timer of one taken early does not hurry the next. */
  let batch = 0;
  let wakeWriter = (): void => undefined;
  let wakeReader = (): void => undefined;

  function cut(): T[] {
    const taken: T[] = [];
    for (let sum = 0; sum < full && items.length > 0;) {
      const next = items.shift()!;
      sum += next.weight;
      weight -= next.weight;
      taken.push(next.item);
    }
    batch += 1;
    due = false;
    if (items.length > 0) startTimer();
    wakeReader();
    return taken;
  }

  function startTimer(): void {
    const mine = batch;
    timer(() => {
      if (mine !== batch) return;
      due = true;
      wakeWriter();
    }, waitMs);
  }

  return {
    async push(item, itemWeight) {
      items.push({ item, weight: itemWeight });
      weight += itemWeight;
      if (items.length === 1) startTimer();
      if (weight >= full) wakeWriter();
      while (weight >= 2 * full && !ended) await new Promise<void>((resolve) => (wakeReader = resolve));
    },
    async take() {
      while (!ended && !(weight >= full) && !(due && items.length > 0))
        await new Promise<void>((resolve) => (wakeWriter = resolve));
      return cut();
    },
    end() {
      ended = true;
      wakeWriter();
      wakeReader();
    },
  };
}
