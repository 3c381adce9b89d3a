/**
 * The laws of the chain, over three sets that are gathered independently of each other:
 * *served* (the simulator's own log), *accepted* (the gateways' outbox files) and *stored* (the database). Pure.
 */

/** One value of one point. `at` is Unix ms: the request's time for served, the sample's time otherwise. */
export interface Entry {
  readonly point: string;
  readonly at: number;
  /** Engineering value; null for a sample that is bad. */
  readonly value: number | null;
}

const keyOf = ({ point, at, value }: Entry): string => `${point}|${at}|${value}`;

/**
 * Law 1: what is stored is what was accepted, each exactly once. The accepted are a set: an equal value of the same point and
 * time is no news, however often a gateway took it in. Both lists are empty when the law holds.
 */
export function compareSets(
  accepted: readonly Entry[],
  stored: readonly Entry[],
): { lost: string[]; extra: string[] } {
  const lost = new Set(accepted.map(keyOf));
  const extra = stored.map(keyOf).filter((key) => !lost.delete(key));
  return { lost: [...lost], extra };
}

export const byPoint = (entries: readonly Entry[]): Map<string, Entry[]> => {
  const series = Map.groupBy(entries, ({ point }) => point);
  for (const list of series.values()) list.sort((a, b) => a.at - b.at);
  return series;
};

/**
 * Law 2: every good sample was served: right point, right scaling, and served at most `windowMs` before it was stamped.
 * A served value vouches for one sample only. @returns the samples that nobody served.
 */
export function unvouched(samples: readonly Entry[], served: readonly Entry[], windowMs: number): Entry[] {
  const servedBy = byPoint(served);
  return [...byPoint(samples.filter(({ value }) => value !== null))].flatMap(([point, list]) => {
    const free = [...(servedBy.get(point) ?? [])];
    return list.filter((sample) => {
      const index = free.findIndex(
        ({ at, value }) => at <= sample.at && sample.at - at <= windowMs && same(value, sample.value),
      );
      if (index < 0) return true;
      free.splice(0, index + 1);
      return false;
    });
  });
}

/** How far the two times of one value may lie apart, ms. */
export interface Apart {
  readonly beforeMs: number;
  readonly afterMs: number;
}

/**
 * Law 2 and law 3 for devices that tell of their own accord: each of `entries` has a partner of its own in `among`, of the same
 * point and value, at most `beforeMs` before it and `afterMs` after it. Not in order, for a poll and a push may cross.
 * @returns the entries without one.
 */
export function unmatched(
  entries: readonly Entry[],
  among: readonly Entry[],
  { beforeMs, afterMs }: Apart,
): Entry[] {
  const byValue = (list: readonly Entry[]) => Map.groupBy(list, ({ point, value }) => `${point}|${value}`);
  const theirs = byValue(among);
  return [...byValue(entries)].flatMap(([key, list]) => {
    const free = (theirs.get(key) ?? []).toSorted((a, b) => a.at - b.at);
    // All windows are as long as each other, so the earliest that fits is the best choice for each in turn.
    return list
      .toSorted((a, b) => a.at - b.at)
      .filter(({ at }) => {
        while (free[0] && free[0].at < at - beforeMs) free.shift();
        if (!free[0] || free[0].at > at + afterMs) return true;
        free.shift();
        return false;
      });
  });
}

/**
 * Law 2 for devices that cannot be asked: a read gives what was told last, as often as it is read. Each sample is the last
 * told value of its point at some moment within `windowMs` of it. @returns the samples that are not.
 */
export function unheld(samples: readonly Entry[], told: readonly Entry[], windowMs: number): Entry[] {
  const toldBy = byPoint(told);
  return samples.filter(({ point, at, value }) => {
    const series = toldBy.get(point) ?? [];
    return !series.some(
      (one, index) =>
        same(one.value, value) &&
        one.at <= at + windowMs &&
        (series[index + 1]?.at ?? Infinity) >= at - windowMs,
    );
  });
}

/** Without what says the same again: the same value of the same point and time, which the intake documents as a repeat. */
export function withoutRepeats(told: readonly Entry[]): Entry[] {
  const seen = new Set<string>();
  return told.filter((entry) => !seen.has(keyOf(entry)) && seen.add(keyOf(entry)));
}

/** Only what says the same again: each entry whose like stands before it. */
export function repeatsOf(told: readonly Entry[]): Entry[] {
  const first = new Set(withoutRepeats(told));
  return told.filter((entry) => !first.has(entry));
}

/**
 * Law 3, without faults: per point the accepted values are the served values, in order, none missing. `accepted` may go on
 * after the last served one, for the two are cut at different moments of a read. @returns what differs.
 */
export function seriesDifferences(accepted: readonly Entry[], served: readonly Entry[]): string[] {
  const [ours, theirs] = [byPoint(accepted), byPoint(served)];
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((point) => {
    const [a, s] = [ours.get(point) ?? [], theirs.get(point) ?? []];
    if (a.length < s.length) return [`${point}: served ${s.length}, accepted ${a.length}`];
    const at = s.findIndex((entry, index) => !same(entry.value, a[index]!.value));
    return at < 0 ? [] : [`${point} #${at}: served ${s[at]?.value}, accepted ${a[at]?.value}`];
  });
}

/** Stretches of `series` (one point, ascending) with nothing for longer than `limitMs`. */
export function holes(series: readonly Entry[], limitMs: number): { from: number; to: number }[] {
  return series.flatMap((entry, index) => {
    const next = series[index + 1];
    return next && next.at - entry.at > limitMs ? [{ from: entry.at, to: next.at }] : [];
  });
}

/** Served values of a point that no accepted sample took over, as stretches of time: the price of a kill. */
export function unacceptedSpans(
  accepted: readonly Entry[],
  served: readonly Entry[],
  windowMs: number,
): { from: number; to: number }[] {
  const free = [...accepted];
  const spans: { from: number; to: number }[] = [];
  let open: { from: number; to: number } | undefined;
  for (const { at, value } of served) {
    const index = free.findIndex(
      (sample) => sample.at >= at && sample.at - at <= windowMs && same(sample.value, value),
    );
    if (index >= 0) {
      free.splice(0, index + 1);
      open = undefined;
    } else if (open) open.to = at;
    else spans.push((open = { from: at, to: at }));
  }
  return spans;
}

/**
 * Law 4, with deadbands: the stored series held forward never differs from the served one by more than the deadband, and is
 * never silent longer than the heartbeat and the one poll that notices it. A served value was decided on before the next
 * request went out; those after `until`, Unix ms, only tell when that was. One point, both ascending.
 */
export function deadbandFaults(
  stored: readonly Entry[],
  served: readonly Entry[],
  rule: {
    readonly deadband: number;
    readonly heartbeatMs: number;
    readonly pollMs: number;
    readonly until: number;
  },
): string[] {
  const limit = rule.deadband * (1 + 1e-9);
  const silences = holes(stored, rule.heartbeatMs + rule.pollMs).map(
    ({ from, to }) => `silent ${to - from} ms from ${from}`,
  );
  const strays = served.flatMap(({ at, value }, index) => {
    if (at > rule.until) return [];
    const decided = served[index + 1]?.at ?? Infinity;
    // A sample stamped in the very millisecond of the next request may belong to either.
    const held = [decided - 1, decided].map(
      (until) => stored.findLast((sample) => sample.at <= until)?.value ?? null,
    );
    const apart = held.map((one) => (one === null || value === null ? 0 : Math.abs(one - value)));
    return Math.min(...apart) <= limit ? [] : [`held ${held[0]}, served ${value} at ${at}`];
  });
  return [...silences, ...strays];
}

/** Equal to the last digit that a double carries: scaling by powers of ten may end one bit apart. */
function same(a: number | null, b: number | null): boolean {
  if (a === null || b === null) return a === b;
  return Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a), Math.abs(b));
}
