import type { Bell } from '../base/bell.ts';
import type { FaultLog } from '../base/fault-log.ts';
import { type Attempt, readNow, releaseOf, writeOnce, type WriteTarget } from './device-write.ts';
import type { ExecutorDeps } from './executor.ts';
import type { CommandEvent, Hold } from './journal.ts';

export interface ReleaseDeps extends Omit<ExecutorDeps, 'failpoint' | 'log'> {
  /** Rung when a hold was noted. */
  readonly bell: Bell;
  readonly faults: FaultLog;
}

/** Longest sleep: a switch that was thrown back is noticed within this time, ms. */
const LOOK_MS = 1_000;
/** Pause before a point that could not be given back is tried again, ms; doubles up to the longest. */
const RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 300_000;

interface Watched {
  readonly hold: Hold;
  /** On the monotonic clock: a clock that is set neither shortens nor lengthens a hold. */
  dueAt: number;
  retryMs: number;
}

/**
 * Gives points back when their hold is over, until `signal` aborts. Writing the automatic value again does no harm, so it is
 * tried until the device shows that it heard. While remote writing is switched off the points wait.
 */
export async function runReleases(deps: ReleaseDeps, signal: AbortSignal): Promise<void> {
  const { journal, clock, bell, turns } = deps;
  const watched = new Map<string, Watched>();
  while (!signal.aborted) {
    watch(deps, watched);
    const due = [...watched.values()].filter(({ dueAt }) => dueAt <= clock.monotonic());
    if (due.length > 0 && !deps.isOff()) await Promise.all(due.map(giveBackInTurn));
    const next = Math.min(...[...watched.values()].map(({ dueAt }) => dueAt - clock.monotonic()));
    await bell.heard(Math.min(LOOK_MS, Math.max(next, due.length > 0 ? LOOK_MS : 0)), signal);
  }

  function giveBackInTurn(one: Watched): Promise<void> {
    const { hold } = one;
    const target = deps.find(hold.pointId);
    return turns.take(target?.equipmentId ?? '', async () => {
      // A newer command on the point may have taken this hold's place while it waited.
      const isReplaced = !journal.holds().some(({ commandId }) => commandId === hold.commandId);
      if (isReplaced || deps.isOff() || signal.aborted) return;
      if (await giveBack(deps, hold, target, signal)) return;
      one.dueAt = clock.monotonic() + one.retryMs;
      one.retryMs = Math.min(one.retryMs * 2, LONGEST_RETRY_MS);
    });
  }
}

/** Brings what is watched up to the journal. */
function watch({ journal, clock }: ReleaseDeps, watched: Map<string, Watched>): void {
  const holds = new Map(journal.holds().map((hold) => [hold.commandId, hold]));
  for (const id of watched.keys()) if (!holds.has(id)) watched.delete(id);
  for (const [id, hold] of holds) {
    if (watched.has(id)) continue;
    const leftMs = Math.min(Math.max(hold.dueAt - clock.now(), 0), hold.holdMs);
    watched.set(id, { hold, dueAt: clock.monotonic() + leftMs, retryMs: RETRY_MS });
  }
}

/** @returns whether the hold is over. */
async function giveBack(
  deps: ReleaseDeps,
  hold: Hold,
  target: WriteTarget | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const { wait, faults } = deps;
  const limits = target?.point.write;
  const release = target && limits && releaseOf(target, limits);
  if (!release) {
    end(deps, hold, { outcome: 'failed', before: null, after: null, why: NO_LONGER });
    return true;
  }
  const before = await readNow(target, { wait, signal });
  const attempt = await writeOnce(target, release.value, limits, { wait, signal });
  const key = `release ${hold.pointId}`;
  if (attempt.kind !== 'written') {
    faults.fault(key, 'point cannot be given back', { pointId: hold.pointId, why: attempt.why });
    return false;
  }
  faults.over(key, 'point was given back', { pointId: hold.pointId });
  end(deps, hold, { outcome: 'released', before, ...afterOf(attempt) });
  return true;
}

const NO_LONGER = 'stays: the point is no longer declared writable, so nothing gives it back';

const afterOf = ({ written }: Extract<Attempt, { kind: 'written' }>) => ({
  after: written.readBack,
  why: written.state === 'differs' ? (written.detail ?? 'the device shows another value') : '',
});

function end(
  { journal, clock, newId, onResult }: ReleaseDeps,
  { commandId, pointId }: Hold,
  result: Pick<CommandEvent, 'outcome' | 'before' | 'after' | 'why'>,
): void {
  journal.endHold(commandId, {
    ...{ type: 'command', id: newId(), at: clock.now(), commandId, pointId },
    ...result,
  });
  onResult();
}
