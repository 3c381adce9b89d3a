import type { Command, CommandOutcome, WriteLimits } from '@parkline/contract';
import type { Logger } from 'pino';
import type { Clock, Wait } from '../base/clock.ts';
import type { Failpoint } from '../base/failpoint.ts';
import { type Attempt, readNow, releaseOf, writeOnce, type WriteTarget } from './device-write.ts';
import type { CommandEvent, CommandJournal, Hold, Unfinished } from './journal.ts';
import { judgeCommand, type Judgement } from './judge-command.ts';
import type { Turns } from './turns.ts';

export interface ExecutorDeps {
  readonly journal: CommandJournal;
  /** Undefined: no such point here. Asked each time: the configuration may change. */
  readonly find: (pointId: string) => WriteTarget | undefined;
  /** Whether somebody on site has switched remote writing off. Asked before each write. */
  readonly isOff: () => boolean;
  readonly turns: Turns;
  /** A result waits in the journal. */
  readonly onResult: () => void;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly log: Pick<Logger, 'info'>;
  readonly failpoint: Failpoint;
}

/** Carries commands out, each at most once, whatever is killed when. What it rejects with is a failure of the journal. */
export interface Executor {
  /** Takes a command that the cloud signed for this gateway. Resolves when its result is in the journal. */
  execute(command: Command, signal: AbortSignal): Promise<void>;
  /** Says what became of the commands that a stop or a kill left unfinished; writes none of them again. */
  recover(signal: AbortSignal): Promise<void>;
}

const RATE_MS = 60_000;
const UNKNOWN = 'nobody knows whether it was written';

/** What a result says beside whose it is. */
type Result = Pick<CommandEvent, 'outcome' | 'before' | 'after' | 'why'>;

export function createExecutor(deps: ExecutorDeps): Executor {
  const { journal, find, turns, clock, wait, failpoint } = deps;

  function finish(of: { id: string; pointId: string }, result: Result, hold: 'kept' | 'dropped'): void {
    const { id: commandId, pointId } = of;
    const at = clock.now();
    journal.end({ type: 'command', id: deps.newId(), at, commandId, pointId, ...result }, at, hold);
    failpoint('before-result');
    deps.log.info({ commandId, pointId, ...result }, 'command ended');
    deps.onResult();
  }

  function judge(command: Command, target: WriteTarget | undefined): Judgement {
    const now = clock.now();
    return judgeCommand(command, {
      now,
      ...journal.known(),
      isOff: deps.isOff(),
      point: target?.point,
      hasPriorities: target?.hasPriorities ?? false,
      recent: journal.recent(command.pointId, now - RATE_MS),
    });
  }

  async function write(command: Command, target: WriteTarget, signal: AbortSignal): Promise<void> {
    const before = await readNow(target, { wait, signal });
    // Asked again: it may have waited for its turn, and somebody on site may have thrown the switch.
    const judgement = judge(command, target);
    const limits = target.point.write;
    if (!judgement.ok || !limits) return finish(command, refused(judgement, before), 'dropped');
    failpoint('before-journal');
    journal.begin(command.id, { at: clock.now(), before }, holdOf(command, target, limits, clock.now()));
    failpoint('after-journal');
    const value = command.value ?? releaseOf(target, limits)?.value ?? null;
    const attempt = await writeOnce(target, value, limits, { wait, signal });
    failpoint('after-write');
    const after = attempt.kind === 'unknown' ? await readNow(target, { wait, signal }) : null;
    const result = resultOf(attempt, { before, after, stays: staysOf(command, target, limits) });
    finish(command, result, attempt.kind === 'refused' ? 'dropped' : 'kept');
  }

  async function tellUnfinished(
    unfinished: Unfinished,
    target: WriteTarget | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { isBegun, before } = unfinished;
    const after = isBegun && target ? await readNow(target, { wait, signal }) : null;
    const why = isBegun ? unknownWords(after, 'the gateway stopped') : 'not written: the gateway stopped';
    finish(unfinished, { outcome: 'failed', before, after, why }, isBegun ? 'kept' : 'dropped');
  }

  return {
    async execute(command, signal) {
      if (!journal.take(command, clock.now())) return;
      const target = find(command.pointId);
      const judgement = judge(command, target);
      if (!judgement.ok || !target) return finish(command, refused(judgement, null), 'dropped');
      await turns.take(target.equipmentId, () => write(command, target, signal));
    },
    async recover(signal) {
      const telling = journal.unfinished().map((unfinished) => {
        const target = find(unfinished.pointId);
        return turns.take(target?.equipmentId ?? '', () => tellUnfinished(unfinished, target, signal));
      });
      await Promise.all(telling);
    },
  };
}

/** `<code>: <sentence>`: the code is for programs. */
const refused = (judgement: Judgement, before: number | null): Result => ({
  outcome: 'refused',
  before,
  after: null,
  why: judgement.ok ? '' : `${judgement.code}: ${judgement.message}`,
});

const unknownWords = (after: number | null, why: string): string =>
  `${UNKNOWN} (${why}); read back: ${after ?? 'nothing'}`;

function resultOf(
  attempt: Attempt,
  { before, after, stays }: { before: number | null; after: number | null; stays: string },
): Result {
  if (attempt.kind === 'refused')
    return { outcome: 'refused', before, after: null, why: `device: ${attempt.why}` };
  if (attempt.kind === 'unknown')
    return { outcome: 'failed', before, after, why: unknownWords(after, attempt.why) };
  const { state, readBack, detail } = attempt.written;
  const outcome: CommandOutcome = state;
  return { outcome, before, after: readBack, why: [detail, stays].filter(Boolean).join('; ') };
}

function holdOf(
  { id, pointId, value, holdS }: Command,
  target: WriteTarget,
  limits: WriteLimits,
  now: number,
): Hold | undefined {
  if (value === null || !releaseOf(target, limits)) return undefined;
  const holdMs = (holdS ?? limits.holdS) * 1_000;
  return { commandId: id, pointId, dueAt: now + holdMs, holdMs };
}

const staysOf = ({ value }: Command, target: WriteTarget, limits: WriteLimits): string =>
  value === null || releaseOf(target, limits)
    ? ''
    : 'it stays: nothing says which value gives the point back';
