import type { Sure } from './episode.ts';
import type {
  ClockRule,
  ComparisonRule,
  FillingRule,
  FrozenRule,
  Guard,
  Rule,
  StepBackRule,
  ThresholdRule,
} from './rule-schema.ts';

/** A value that may be believed: of good quality, not stale, from a device that answers. Engineering units. */
export interface Reading {
  readonly value: number;
  /** Unix ms, as the gateway stamped it. */
  readonly at: number;
  /** From one reading to the next, when all is well, it takes no longer. */
  readonly staleAfterMs: number;
}

/** What a rule remembers of earlier readings of its point. Times in Unix ms. */
export interface Memory {
  readonly value: number;
  /** First and last reading of exactly this value; `since` is moved on by silences in between. */
  readonly since: number;
  readonly last: number;
}

/** What can be seen of one subject just now. */
export interface View {
  /** By key of the point; undefined where there is no evidence. */
  readonly reading: (key: string) => Reading | undefined;
  readonly memory: Memory | undefined;
  /** The same point of comparable equipment nearby: how many there are, and how many of them changed after `since`. */
  readonly peers: (since: number) => { readonly count: number; readonly moved: number };
  /** What the device's or the gateway's state says. */
  readonly silence: Sure;
  /** How full the gateway's outbox is; undefined when it does not say, or is not there to say it. */
  readonly outbox: OutboxFill | undefined;
  /** How far the gateway's clock is off the cloud's, ms; undefined when nobody knows. */
  readonly clockOffMs: number | undefined;
}

/** What waits to be sent, in % of what the outbox may hold, and the hours until nothing more is taken in. */
export interface OutboxFill {
  readonly percent: number;
  readonly hoursLeft: number | null;
}

export interface Judgement {
  readonly sure: Sure;
  /** What is remembered from now on. */
  readonly memory?: Memory;
  /** Values that the sentence tells, beside those of the points. */
  readonly told?: Readonly<Record<string, Told>>;
}

/** A value as a sentence shows it. */
export interface Told {
  readonly value: number;
  readonly unit?: string;
  readonly decimals?: number;
}

export interface Settings {
  /** In the rule's unit; ignored by rules without a limit. */
  readonly limit: number | undefined;
  readonly forMs: number;
}

/** Judges one rule on one subject. `isOpen` turns hysteresis on. Pure. */
export function judge(rule: Rule, view: View, settings: Settings, isOpen: boolean): Judgement {
  switch (rule.kind) {
    case 'threshold':
      return { sure: guarded(rule.while, view, () => threshold(rule, view, settings, isOpen)) };
    case 'comparison':
      return { sure: guarded(rule.while, view, () => comparison(rule, view, settings, isOpen)) };
    case 'no-data':
      return { sure: view.silence };
    case 'filling':
      return filling(rule, view, settings, isOpen);
    case 'clock':
      return clock(rule, view, settings);
    case 'frozen':
      return frozen(rule, view, settings, isOpen);
    case 'step-back':
      return stepBack(rule, view);
  }
}

/** A guard that fails says "not": the fan is off, so its air cannot be too warm. One without evidence says nothing. */
function guarded(guards: readonly Guard[] | undefined, view: View, then: () => Sure): Sure {
  const held = (guards ?? []).map((guard): Sure => {
    const reading = view.reading(guard.point);
    if (!reading) return 'unknown';
    const holds =
      'equals' in guard ? reading.value === guard.equals : Math.abs(reading.value) <= guard.within;
    return holds ? 'holds' : 'not';
  });
  if (held.includes('not')) return 'not';
  return held.includes('unknown') ? 'unknown' : then();
}

function threshold(rule: ThresholdRule, view: View, { limit = 0 }: Settings, isOpen: boolean): Sure {
  const reading = view.reading(rule.point);
  if (!reading) return 'unknown';
  if (rule.equals !== undefined) return reading.value === rule.equals ? 'holds' : 'not';
  const slack = isOpen ? (rule.hysteresis ?? 0) : 0;
  const beyond = rule.side === 'below' ? limit - reading.value : reading.value - limit;
  return beyond > -slack ? 'holds' : 'not';
}

function comparison(rule: ComparisonRule, view: View, { limit = 0 }: Settings, isOpen: boolean): Sure {
  const [left, right] = [view.reading(rule.left), view.reading(rule.right)];
  if (!left || !right) return 'unknown';
  const raw = left.value - right.value;
  const difference = rule.difference === 'either' ? Math.abs(raw) : rule.difference === 'below' ? -raw : raw;
  return difference > limit - (isOpen ? (rule.hysteresis ?? 0) : 0) ? 'holds' : 'not';
}

function filling(
  { hysteresis = 0 }: FillingRule,
  { outbox }: View,
  { limit = 80 }: Settings,
  isOpen: boolean,
): Judgement {
  if (!outbox) return { sure: 'unknown' };
  const { percent, hoursLeft } = outbox;
  const told = {
    fill: { value: percent, unit: '%', decimals: 0 },
    ...(hoursLeft !== null && {
      hoursLeft: { value: hoursLeft, unit: 'h', decimals: hoursLeft < 10 ? 1 : 0 },
    }),
  };
  return { sure: percent > limit - (isOpen ? hysteresis : 0) ? 'holds' : 'not', told };
}

function clock(_rule: ClockRule, { clockOffMs }: View, { limit = 60 }: Settings): Judgement {
  if (clockOffMs === undefined) return { sure: 'unknown' };
  const offS = Math.abs(clockOffMs) / 1_000;
  return { sure: offS > limit ? 'holds' : 'not', told: { off: { value: offS, unit: 's', decimals: 0 } } };
}

/**
 * A point reports by exception, so silence is normal and proves nothing. But every sign of life carries the value as it is
 * then, and a living sensor is never the same to the last bit for long. Steady surroundings are: so at least half of the
 * peers must have moved since. The time counts from the first to the last reading of the value, not to now, and without
 * silences: the same value before and after one proves little.
 */
function frozen(rule: FrozenRule, view: View, { forMs }: Settings, isOpen: boolean): Judgement {
  const reading = view.reading(rule.point);
  if (!reading) return { sure: 'unknown' };
  const { value, at, staleAfterMs } = reading;
  const before = view.memory ?? { value, since: at, last: at };
  if (before.value !== value) return { sure: 'not', memory: { value, since: at, last: at } };
  const pause = Math.max(0, at - before.last);
  const since = before.since + (pause > staleAfterMs ? pause : 0);
  const memory = { value, since, last: Math.max(at, before.last) };
  if (isOpen) return { sure: 'holds', memory };
  const { count, moved } = view.peers(since);
  if (count === 0) return { sure: 'unknown', memory };
  const isStill = memory.last > since && memory.last - since >= forMs;
  return { sure: isStill && moved * 2 >= count ? 'holds' : 'not', memory };
}

/** Registers only grow. The memory follows the fall, so that one fall is told once. */
function stepBack(rule: StepBackRule, view: View): Judgement {
  const reading = rule.points.map((key) => view.reading(key)).find(Boolean);
  if (!reading) return { sure: 'unknown' };
  const { value, at } = reading;
  const before = view.memory?.value;
  const memory = { value, since: at, last: at };
  return before !== undefined && value < before
    ? { sure: 'holds', memory, told: { before: { value: before }, after: { value } } }
    : { sure: 'not', memory };
}
