import type { Command } from '@parkline/contract';
import type { Logger } from 'pino';
import { createBell } from '../base/bell.ts';
import type { Clock, Wait } from '../base/clock.ts';
import type { Failpoint } from '../base/failpoint.ts';
import type { FaultLog } from '../base/fault-log.ts';
import type { EventLane } from '../pipeline/events.ts';
import { OutboxError } from '../pipeline/outbox.ts';
import type { WriteTarget } from './device-write.ts';
import { createExecutor } from './executor.ts';
import type { CommandJournal } from './journal.ts';
import { runReleases } from './releases.ts';
import { createTurns } from './turns.ts';

export interface WritingDeps {
  /** Closed when `run` resolves. */
  readonly journal: CommandJournal;
  readonly events: EventLane;
  readonly find: (pointId: string) => WriteTarget | undefined;
  readonly isOff: () => boolean;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly log: Pick<Logger, 'info'>;
  readonly faults: FaultLog;
  readonly failpoint: Failpoint;
}

/** Everything a gateway does about commands: carries them out, gives points back, tells what became of it. */
export interface Writing {
  /** Takes a command that the cloud signed for this gateway. Never throws; does nothing before `run`. */
  take(command: Command): void;
  /**
   * Works until `signal` aborts, then waits for what is under way.
   * @throws OutboxError 'corrupt' when the journal was damaged while in use.
   */
  run(signal: AbortSignal): Promise<void>;
}

/** How often results that the outbox did not take are offered again, ms. */
const HAND_OVER_MS = 5_000;
const PURGE_MS = 3_600_000;
/** Ids are remembered far longer than any command lives, against replay by whoever can set our clock back. */
const REMEMBER_MS = 30 * 86_400_000;

export function createWriting(deps: WritingDeps): Writing {
  const { journal, clock, wait, faults } = deps;
  const turns = createTurns();
  const results = createBell(wait);
  const holds = createBell(wait);
  const onResult = (): void => {
    results.ring();
    holds.ring();
  };
  const executor = createExecutor({ ...deps, turns, onResult });
  const { promise: broken, reject: breakDown } = Promise.withResolvers<never>();
  broken.catch(() => undefined); // Heard by `run`.
  let working: AbortSignal | undefined;

  /** A disk that refuses costs this piece of work, and nothing was written; a damaged journal costs the process. */
  async function guard(work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
      faults.over('command-journal', 'journal of commands can be written again');
    } catch (err) {
      if (!(err instanceof OutboxError) || err.code !== 'disk') return breakDown(err);
      faults.fault('command-journal', 'journal of commands cannot be written', { err });
    }
  }

  async function runHandOver(signal: AbortSignal): Promise<void> {
    let purgedAt = -Infinity;
    while (!signal.aborted) {
      await guard(() => {
        handOver(deps);
      });
      if (clock.monotonic() - purgedAt >= PURGE_MS) {
        purgedAt = clock.monotonic();
        await guard(() => {
          journal.purge(clock.now() - REMEMBER_MS);
        });
      }
      await results.heard(HAND_OVER_MS, signal);
    }
  }

  async function runHolds(signal: AbortSignal): Promise<void> {
    const release = { ...deps, turns, onResult, bell: holds };
    while (!signal.aborted) {
      await guard(() => runReleases(release, signal));
      await wait(HAND_OVER_MS, signal);
    }
  }

  return {
    take(command) {
      const signal = working;
      if (signal && !signal.aborted) void guard(() => executor.execute(command, signal));
    },
    async run(signal) {
      working = signal;
      const recovering = guard(() => executor.recover(signal));
      const loops = [recovering, runHandOver(signal), runHolds(signal)];
      try {
        await Promise.race([Promise.all(loops), broken]);
        await turns.idle();
        await guard(() => {
          handOver(deps);
        });
      } finally {
        journal.close();
      }
    },
  };
}

/** Twice the same event is harmless: the cloud knows it by its id. */
function handOver({ journal, events }: WritingDeps): void {
  for (const event of journal.unsent()) {
    events.add(event);
    journal.sent(event.id);
  }
}
