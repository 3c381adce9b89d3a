import type { Gateway } from '@parkline/contract';
import { advance, idle, type Sure, type Track } from './episode.ts';
import { judge, type Judgement, type Memory, type OutboxFill, type Reading, type View } from './judge.ts';
import type { Plan, PlannedPoint, Watch } from './plan.ts';
import { limitOf } from './rules.ts';

/** Longest silence of the evaluation itself that still counts as looking on. */
export const LOOKING_ON_MS = 30_000;
/** A clock that runs ahead of ours by more is not believed. */
const AHEAD_MS = 60_000;

export interface Latest {
  /** Unix ms. */
  readonly at: number;
  /** Counts of a register, else the value. */
  readonly value: number | null;
  /** 0 good. */
  readonly quality: number;
  /** Brought in from a file: history, not what is now. */
  readonly isImported: boolean;
}

export interface Setting {
  readonly enabled: boolean;
  readonly forS: number;
  readonly limit: number | null;
}

/** As an account has set it. */
export interface KeptSetting extends Setting {
  /** Counted up by each change. */
  readonly version: number;
}

/** What is stored about one rule on one subject. */
export interface Stored {
  readonly track: Track;
  readonly faultId: string | null;
  readonly memory: Memory | null;
  /** Its fault was ended by a person meanwhile. */
  readonly isEnded: boolean;
}

/** Everything that a beat reads, taken at one moment. */
export interface Snapshot {
  /** Unix ms. */
  readonly now: number;
  readonly lastBeatAt: number | null;
  /** By number of the point. */
  readonly latest: ReadonlyMap<number, Latest>;
  /** What the gateways say of their devices, by equipment. */
  readonly devices: ReadonlyMap<string, 'online' | 'silent' | 'starting'>;
  /** Those that were ever heard. */
  readonly gateways: ReadonlyMap<string, Gateway['state']>;
  /** Of the gateways that say so. */
  readonly outboxes: ReadonlyMap<string, OutboxFill>;
  /** ms that the clocks of gateways are off, of those where it is known. */
  readonly clocks: ReadonlyMap<string, number>;
  /** By key of the rule; without one its own numbers hold. */
  readonly settings: ReadonlyMap<string, Setting>;
  /** By `stateKey`. */
  readonly states: ReadonlyMap<string, Stored>;
}

export const stateKey = (rule: string, subjectId: string): string => `${rule}/${subjectId}`;

/** What a beat finds out about one rule on one subject. */
export interface Decision {
  readonly watch: Watch;
  readonly before: Stored | undefined;
  readonly track: Track;
  readonly memory: Memory | null;
  readonly event?: 'open' | 'clear' | 'rule_off';
  /** For an episode that opens: the values that proved it, by key. */
  readonly values?: Readonly<Record<string, { value: number; unit: string; decimals: number }>>;
  readonly limit?: number;
  readonly forS: number;
}

/** Judges every watch of a plan. What stands as it stood is left out. Pure. */
export function evaluate(plan: Plan, snapshot: Snapshot): Decision[] {
  const peers = peersOf(plan, snapshot);
  return plan.watches.flatMap((watch) => {
    const decision = decide(watch, snapshot, peers);
    return isNews(decision) ? [decision] : [];
  });
}

type PeersOf = (watch: Watch) => View['peers'];

function decide(watch: Watch, snapshot: Snapshot, peers: PeersOf): Decision {
  const { rule } = watch;
  const before = snapshot.states.get(stateKey(rule.key, watch.subjectId));
  const setting = snapshot.settings.get(rule.key);
  const forS = setting?.forS ?? rule.for;
  const kept = { watch, before, memory: before?.memory ?? null, forS };
  if (setting?.enabled === false)
    return {
      ...kept,
      track: idle,
      ...(before?.faultId && !before.isEnded && { event: 'rule_off' as const }),
    };

  const track = trackOf(before, snapshot);
  const limit = setting?.limit ?? limitOf(rule)?.value;
  const view = viewOf(watch, snapshot, before, peers);
  const found = judge(rule, view, { limit, forMs: forS * 1_000 }, track.phase === 'open');
  // A frozen value has had its time already: it is counted from reading to reading.
  const forMs = rule.kind === 'frozen' ? 0 : forS * 1_000;
  const times = { forMs, clearForMs: rule.clearFor * 1_000, latched: rule.latched ?? false };
  const step = advance(track, found.sure, snapshot.now, times);
  return {
    ...{ ...kept, ...step, memory: found.memory ?? kept.memory },
    ...(step.event === 'open' && { values: valuesOf(watch, view, found) }),
    ...(limit !== undefined && { limit }),
  };
}

/** The stored track; what a person ended starts anew, and a time that nobody looked on is a time without evidence. */
function trackOf(before: Stored | undefined, { now, lastBeatAt }: Snapshot): Track {
  if (!before || before.isEnded) return idle;
  const { phase, since, blindSince } = before.track;
  const wasBlind = lastBeatAt !== null && now - lastBeatAt > LOOKING_ON_MS;
  // A clock that was set back: what began after now is counted from now on, not after the hour it was set back by.
  return {
    phase,
    since: notAfter(now, since),
    blindSince: wasBlind && since !== null && blindSince === null ? lastBeatAt : notAfter(now, blindSince),
  };
}

const notAfter = (now: number, at: number | null): number | null => (at === null ? null : Math.min(now, at));

function viewOf(watch: Watch, snapshot: Snapshot, before: Stored | undefined, peers: PeersOf): View {
  const alive = isAlive(watch, snapshot);
  const isHeard = snapshot.gateways.get(watch.gatewayId) === 'online';
  return {
    reading: (key) => (alive ? readingOf(watch.points.get(key), snapshot) : undefined),
    memory: before?.memory ?? undefined,
    peers: peers(watch),
    silence: silenceOf(watch, snapshot),
    // What a gateway said before it fell silent is no longer true.
    outbox: isHeard ? snapshot.outboxes.get(watch.gatewayId) : undefined,
    clockOffMs: isHeard ? snapshot.clocks.get(watch.gatewayId) : undefined,
  };
}

/** What a silent device last said, or one behind a silent gateway, is no evidence of how it is. */
const isAlive = ({ equipmentId, gatewayId }: Watch, { devices, gateways }: Snapshot): boolean =>
  gateways.get(gatewayId) === 'online' && (equipmentId === null || devices.get(equipmentId) !== 'silent');

function readingOf(point: PlannedPoint | undefined, { latest, now }: Snapshot): Reading | undefined {
  const sample = point && latest.get(point.num);
  if (!sample || sample.value === null || sample.quality !== 0 || sample.isImported) return undefined;
  if (now - sample.at > point.staleAfterMs || sample.at - now > AHEAD_MS) return undefined;
  return { value: sample.value * point.resolution, at: sample.at, staleAfterMs: point.staleAfterMs };
}

/** A device behind a silent gateway is not judged: the gateway's own fault says it for all of them. */
function silenceOf({ equipmentId, gatewayId }: Watch, { devices, gateways }: Snapshot): Sure {
  const gateway = gateways.get(gatewayId) ?? 'never';
  if (equipmentId === null) return gateway === 'offline' ? 'holds' : gateway === 'online' ? 'not' : 'unknown';
  if (gateway !== 'online') return 'unknown';
  const said = devices.get(equipmentId);
  return said === 'silent' ? 'holds' : said === 'online' ? 'not' : 'unknown';
}

/** Peers of a frozen value: the same point of the same kind of equipment in the building, if it can be judged itself. */
function peersOf(plan: Plan, snapshot: Snapshot): PeersOf {
  const groupOf = ({ rule, buildingId }: Watch) => stateKey(rule.key, buildingId);
  const groups = new Map<string, number[]>();
  for (const watch of plan.watches) {
    if (watch.rule.kind !== 'frozen' || !isAlive(watch, snapshot)) continue;
    const memory = snapshot.states.get(stateKey(watch.rule.key, watch.subjectId))?.memory;
    if (!memory) continue;
    const group = groups.get(groupOf(watch)) ?? [];
    groups.set(groupOf(watch), group);
    group.push(memory.since);
  }
  for (const group of groups.values()) group.sort((a, b) => a - b);
  return (watch) => (since) => {
    const group = groups.get(groupOf(watch)) ?? [];
    // The asker itself is one of them, and never one that moved.
    return { count: Math.max(0, group.length - 1), moved: group.length - firstAfter(group, since) };
  };
}

/** Index of the first of the sorted times that is later. */
function firstAfter(times: readonly number[], since: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! > since) high = middle;
    else low = middle + 1;
  }
  return low;
}

function valuesOf(watch: Watch, view: View, { told = {} }: Judgement): NonNullable<Decision['values']> {
  const [first] = watch.points.values();
  const values = [...watch.points].flatMap(([key, { unit, decimals }]) => {
    const reading = view.reading(key);
    return reading ? [[key, { value: reading.value, unit, decimals }] as const] : [];
  });
  const { unit = '1', decimals = 0 } = first ?? {};
  const further = Object.entries(told).map(([key, one]) => [key, { unit, decimals, ...one }] as const);
  return Object.fromEntries([...values, ...further]);
}

function isNews({ before, track, memory, event }: Decision): boolean {
  if (event !== undefined || before?.isEnded) return true;
  const was = before?.track ?? idle;
  return (
    was.phase !== track.phase ||
    was.since !== track.since ||
    was.blindSince !== track.blindSince ||
    !isSame(before?.memory ?? null, memory)
  );
}

const isSame = (a: Memory | null, b: Memory | null): boolean =>
  a === b || (a !== null && b !== null && a.value === b.value && a.since === b.since && a.last === b.last);
