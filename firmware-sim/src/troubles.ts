/** From when until when something was wrong, Unix ms; Infinity while it lasts. */
export type Span = readonly [from: number, to: number];

/** What can go wrong inside a device, so that its model must know. */
export const troubleKinds = ['fan-fails', 'valve-jams', 'between-floors'] as const;
export type TroubleKind = (typeof troubleKinds)[number];

/** One trouble of one device as a function of time: what was wrong at any instant can be asked at any later one. */
export interface Trouble {
  /** In the order of time, none touching another. */
  spans(): readonly Span[];
  /** Beginning of the span that holds `t`. */
  since(t: number): number | undefined;
  /** How far its consequence has come at `t`, 0..1: towards 1 with time constant `upMs`, and back with `downMs` when it is over. */
  level(t: number, upMs: number, downMs: number): number;
}

/** Looks the troubles of a device up; they may begin and end after the model was made. */
export type Troubles = (device: string, kind: TroubleKind) => Trouble;

/** @param spans Read at each question, so that the answer follows what is begun and ended. */
export function createTrouble(spans: () => readonly Span[]): Trouble {
  return {
    spans,
    since: (t) => spans().find(([from, to]) => t >= from && t < to)?.[0],
    level(t, upMs, downMs) {
      let level = 0;
      let ended = 0;
      for (const [from, to] of spans()) {
        if (t < from) break;
        level *= Math.exp((ended - from) / downMs);
        ended = Math.min(t, to);
        level = 1 - (1 - level) * Math.exp((from - ended) / upMs);
      }
      return level === 0 ? 0 : level * Math.exp((ended - t) / downMs);
    },
  };
}

/** Spans in the order of time, those that overlap or touch made one. */
export function joined(spans: readonly Span[]): Span[] {
  const made: [from: number, to: number][] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = made.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else made.push([from, to]);
  }
  return made;
}

const never = createTrouble(() => []);

/** Nothing is ever wrong. */
export const noTroubles: Troubles = () => never;

/** A running total that stood still while the trouble lasted. */
export function standingStill(trouble: Trouble, total: (t: number) => number): (t: number) => number {
  return (t) => {
    let missed = 0;
    for (const [from, to] of trouble.spans()) if (t > from) missed += total(Math.min(t, to)) - total(from);
    return total(t) - missed;
  };
}
