import { randomUUID } from 'node:crypto';
import type { Command } from '@parkline/contract';
import type { Sample } from '@parkline/kit';
import { createBell } from '../base/bell.ts';
import type { Clock, Wait } from '../base/clock.ts';
import type { FaultLog } from '../base/fault-log.ts';
import type { EventLane } from '../pipeline/events.ts';
import { OutboxError } from '../pipeline/outbox.ts';
import { type AlarmTrack, calm, passTime, type Step, takeReading } from './judge.ts';
import type { AlarmRule, LocalRules, Schedule } from './schema.ts';
import type { RuleStore } from './store.ts';
import { createTimetable, type Due, MAKE_UP_MS } from './timetable.ts';

/** A condition that waits for its time is looked at this often, ms. */
const PENDING_MS = 500;
const MAX_SLEEP_MS = 60_000;
/** A schedule's command that was not carried out by then is void, ms. */
const EXPIRY_MS = 60_000;

export interface LocalRulesDeps {
  readonly rules: LocalRules;
  readonly gatewayId: string;
  /** IANA zone of the site. */
  readonly timezone: string;
  readonly store: RuleStore;
  readonly events: EventLane;
  /** Carries a command out under the same checks as one of the cloud, and tells what became of it. */
  readonly command: (command: Command) => void;
  /** Longest time that a value may stand on a point, seconds; undefined for one that is not writable. */
  readonly holdLimitS: (pointId: string) => number | undefined;
  readonly clock: Clock;
  readonly wait: Wait;
  /** Longest sleep, ms: by then a clock that was set is noticed. 60,000 when absent. */
  readonly maxSleepMs?: number;
  readonly faults: FaultLog;
}

/** What a gateway watches and does by itself, for a month without its cloud. */
export interface LocalRulesEngine {
  /** Every reading of now. */
  see(samples: readonly Sample[]): void;
  /** Works until `signal` aborts; the store is closed then. */
  run(signal: AbortSignal): Promise<void>;
}

/** A value of a schedule that stands, and when it must be written anew so that it goes on standing. Unix ms. */
interface Standing {
  readonly schedule: Schedule;
  readonly until: number;
  readonly renewAt: number;
}

/** @throws Error naming a schedule whose pattern is none. */
export function createLocalRules(deps: LocalRulesDeps): LocalRulesEngine {
  const { rules, store, clock, wait } = deps;
  const timetable = createTimetable(rules.schedules, deps.timezone);
  const tracks = new Map<string, AlarmTrack>(
    store.raised().map(({ key, value }) => [key, { isRaised: true, since: clock.monotonic(), value }]),
  );
  const byPoint = Map.groupBy(rules.alarms, ({ point }) => point);
  const standing = new Map<string, Standing>(); // By point: a later schedule takes its place.
  const reporter = createReporter(deps);
  const bell = createBell(wait);

  function apply(rule: AlarmRule, { track, event }: Step): void {
    tracks.set(rule.key, track);
    if (event) reporter.alarm(rule, event, track.value);
  }

  function start({ schedule, at }: Due): void {
    const limitS = deps.holdLimitS(schedule.point);
    const forMs = (schedule.forS ?? limitS ?? 0) * 1_000;
    standing.delete(schedule.point);
    write(schedule, at + forMs);
    store.ran(schedule.key, at);
  }

  /** Writes a value for as long as the point may be held, and remembers to do so again while it is to stand. */
  function write(schedule: Schedule, until: number): void {
    const now = clock.now();
    const limitS = deps.holdLimitS(schedule.point) ?? 1;
    const leftS = Math.ceil((until - now) / 1_000);
    const holdS = Math.max(1, Math.min(limitS, leftS));
    deps.command(commandOf(deps, schedule, schedule.value === null ? undefined : holdS));
    if (schedule.value !== null && leftS > limitS)
      standing.set(schedule.point, { schedule, until, renewAt: now + holdS * 800 });
    else standing.delete(schedule.point);
  }

  /** What came due while the gateway was off: of each point the latest only, for that is what should stand now. */
  function makeUp(now: number): void {
    const missed = timetable
      .between(now - MAKE_UP_MS, now)
      .filter(({ schedule, at }) => (store.ranAt(schedule.key) ?? 0) < at);
    const latest = new Map(missed.map((due) => [due.schedule.point, due]));
    for (const due of missed) {
      if (latest.get(due.schedule.point) === due) start(due);
      else store.ran(due.schedule.key, due.at);
    }
  }

  function turn(lookedAt: number): number {
    const now = clock.now();
    // A clock that was set back has nothing due twice; one set forward by a day or more is made up for like a night without power.
    for (const due of timetable.between(Math.max(lookedAt, now - MAKE_UP_MS), now))
      if ((store.ranAt(due.schedule.key) ?? 0) < due.at) start(due);
    for (const { schedule, until, renewAt } of standing.values()) if (now >= renewAt) write(schedule, until);
    for (const rule of rules.alarms)
      apply(rule, passTime(rule, tracks.get(rule.key) ?? calm, clock.monotonic()));
    reporter.flush();
    return now;
  }

  const isPending = (): boolean =>
    [...tracks.values()].some(({ isRaised, since }) => !isRaised && since !== undefined);

  function sleepMs(now: number): number {
    const renewals = [...standing.values()].map(({ renewAt }) => renewAt - now);
    const next = Math.min(timetable.next(now) - now, ...renewals, deps.maxSleepMs ?? MAX_SLEEP_MS);
    return Math.max(1, isPending() ? Math.min(next, PENDING_MS) : next);
  }

  return {
    see(samples) {
      for (const sample of samples)
        for (const rule of byPoint.get(sample.pointId) ?? []) {
          const before = tracks.get(rule.key) ?? calm;
          const step = takeReading(rule, before, sample, clock.monotonic());
          apply(rule, step);
          // The loop may sleep for longer than the alarm waits.
          if (before.since === undefined && step.track.since !== undefined) bell.ring();
        }
    },
    async run(signal) {
      makeUp(clock.now());
      for (let lookedAt = clock.now(); !signal.aborted;) {
        lookedAt = turn(lookedAt);
        await bell.heard(sleepMs(lookedAt), signal);
      }
      reporter.flush();
      store.close();
    },
  };
}

/** Tells the cloud, and remembers what it could not tell yet. */
function createReporter({ store, events, clock, faults }: LocalRulesDeps) {
  function flush(): void {
    try {
      for (const event of store.untold()) {
        events.add(event);
        store.told(event.id);
      }
      faults.over('local-rules', 'outbox takes alarms again');
    } catch (err) {
      if (!(err instanceof OutboxError) || err.code !== 'disk') throw err;
      faults.fault('local-rules', 'alarms wait for the outbox', { err });
    }
  }

  return {
    flush,
    alarm({ key, point, text }: AlarmRule, state: 'raised' | 'cleared', value: number | null): void {
      const at = clock.now();
      store.note({ type: 'alarm', id: randomUUID(), at, rule: key, pointId: point, state, value, text });
      flush();
    },
  };
}

function commandOf(
  { gatewayId, clock }: LocalRulesDeps,
  schedule: Schedule,
  holdS: number | undefined,
): Command {
  const now = clock.now();
  return {
    ...{ id: randomUUID(), gatewayId, pointId: schedule.point, value: schedule.value },
    ...(holdS !== undefined && { holdS }),
    // The gateway itself; a schedule has no second person, so it never moves what may hurt somebody.
    ...{ actor: { id: gatewayId, name: `schedule ${schedule.key}` }, approver: null },
    ...{ reason: `schedule ${schedule.key}`, issuedAt: now, expiresAt: now + EXPIRY_MS },
  };
}
