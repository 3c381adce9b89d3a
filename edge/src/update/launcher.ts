// What the system starts in the place of the gateway: it starts the release of the current slot, and the one before when that
// does not live. It knows nothing of releases but the state file, so it need not change with them.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MOST_STARTS, openSlots, PROGRAM_FOLDER, REPLACE_EXIT, type Slots } from './slots.ts';

/** A release on trial that is still undecided after this time hangs, ms: it judges itself after two minutes. */
const HANG_MS = 180_000;
/** From SIGTERM to SIGKILL, ms. */
const LAST_WORDS_MS = 10_000;
const PAUSE = { firstMs: 1_000, mostMs: 30_000 } as const;
/** Whoever ran for so long worked, ms. */
const HELD_MS = 60_000;

interface Ended {
  readonly code: number | null;
  readonly isHung: boolean;
  readonly ranMs: number;
}

const say = (message: string, facts: object = {}): void => {
  const line = { level: 30, time: Date.now(), process: 'launcher', ...facts, msg: message };
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

/** Starts what the state names, until it is told to stop. @returns the exit code. */
async function launch(home: string, hangMs: number, firstMs: number): Promise<number> {
  const slots = openSlots(join(home, PROGRAM_FOLDER));
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      stop.abort();
    });
  let pauseMs = firstMs;
  while (!stop.signal.aborted) {
    giveUp(slots);
    const { current, trial, version } = slots.state();
    if (trial) slots.started();
    say('starting', { slot: current, version, trial: trial !== null });
    const { code, isHung, ranMs } = await run(slots, home, trial ? hangMs : undefined, stop.signal);
    if (stop.signal.aborted) return 0;
    if (isHung && slots.state().trial) slots.rollBack('it hung: no word of its health in time', Date.now());
    if (code === 0 && !isHung) return 0;
    if (code === REPLACE_EXIT) continue;
    if (ranMs >= HELD_MS) pauseMs = firstMs;
    say('gateway ended', { code, isHung, ranMs });
    await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined);
    pauseMs = Math.min(PAUSE.mostMs, pauseMs * 2);
  }
  return 0;
}

function giveUp(slots: Slots): void {
  const { trial } = slots.state();
  if (!trial || trial.starts < MOST_STARTS) return;
  slots.rollBack(`it was started ${trial.starts} times without becoming healthy`, Date.now());
  say('release rolled back', { version: trial.version, to: trial.previousVersion });
}

function run(slots: Slots, home: string, hangMs: number | undefined, signal: AbortSignal): Promise<Ended> {
  const beganAt = performance.now();
  const program = join(slots.pathOf(slots.state().current), 'lib', 'main.js');
  const child = spawn(process.execPath, [program, '--home', home], {
    stdio: 'inherit',
    env: { ...process.env, PARKLINE_PROGRAM: slots.folder },
  });
  let isHung = false;
  const end = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), LAST_WORDS_MS).unref();
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  const timer = setTimeout(
    () => {
      isHung = slots.state().trial !== null;
      if (isHung) end();
    },
    hangMs ?? 2 ** 31 - 1,
  );
  timer.unref();
  return new Promise((resolve) => {
    const done = (code: number | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve({ code, isHung, ranMs: performance.now() - beganAt });
    };
    child.on('error', (err) => {
      say('gateway cannot be started', { err: err.message });
      done(null);
    });
    child.on('exit', done);
  });
}

const { values } = parseArgs({
  options: { home: { type: 'string' }, 'hang-ms': { type: 'string' }, 'pause-ms': { type: 'string' } },
});
const { home, 'hang-ms': hangMs = HANG_MS, 'pause-ms': pauseMs = PAUSE.firstMs } = values;
if (home === undefined) {
  process.stderr.write('usage: node launcher.mjs --home DIR [--hang-ms MS] [--pause-ms MS]\n');
  process.exitCode = 2;
} else process.exitCode = await launch(home, Number(hangMs), Number(pauseMs));
