import { Worker } from 'node:worker_threads';
import { createBackOff, DriverError, type DriverLog } from '@parkline/kit';
import type { Clock, Wait } from '../base/clock.ts';
import type { FaultLog } from '../base/fault-log.ts';
import { type Calls, createCalls } from './calls.ts';
import type { Down, Up, WorkerStart } from './messages.ts';
import { isSource } from '../base/source.ts';
import { type FieldModule, openRemote, type Thread } from './remote.ts';

/** Loading a driver package takes no longer, on the slowest box, ms. */
const START_LIMIT_MS = 30_000;
/** A thread whose event loop stands still for so long hangs, ms. Its pulse is felt so many times meanwhile. */
const HANG_MS = 5_000;
const FEELS = 10;
/** Pause before a thread that ended is started again, ms; doubles while it does not last. */
const BACK_OFF = { firstMs: 500, mostMs: 30_000 };
/** A thread that ran for so long worked, ms. */
const HELD_MS = 60_000;
/** A thread stuck in a system call cannot be ended; it is left behind after this time, ms. */
const LEAVE_MS = 2_000;
/** Heap of one driver, MiB: one that leaks ends itself long before the gateway is short. */
const HEAP_MB = 192;
const YOUNG_HEAP_MB = 2;

export interface HostDeps {
  readonly clock: Clock;
  readonly wait: Wait;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: DriverLog;
  readonly faults: FaultLog;
  /** How long the event loop of a driver may stand still, ms; 5 s when absent. */
  readonly hangMs?: number;
}

/** A driver in a thread of its own, that may crash or hang as it likes. */
export interface Host {
  readonly module: FieldModule;
  /** Ends the thread. Safe when called twice. */
  close(): Promise<void>;
}

/** One life of a thread. */
interface Life {
  readonly calls: Calls;
  /** Resolves with the reason when it is over. */
  readonly over: Promise<string>;
  end(): Promise<void>;
}

/**
 * Starts the driver at `url` and keeps it running until it is closed: a thread that crashes, ends or hangs is replaced, and
 * what was under way is rejected as lost. Rejects when the first start fails: then there is nothing to keep running.
 */
export async function startHost(protocol: string, url: string, deps: HostDeps): Promise<Host> {
  const { clock, wait, faults } = deps;
  const logs = new Map<number, DriverLog>();
  const closing = new AbortController();
  const backOff = createBackOff(BACK_OFF, () => clock.monotonic(), deps.random);
  let numbers = 0;
  let life: Life | undefined = await begin(protocol, url, deps, logs);
  let why = '';

  /** Follows one life after the other. */
  async function keep(): Promise<void> {
    while (!closing.signal.aborted) {
      const beganAt = clock.monotonic();
      if (life) {
        why = await life.over;
        life = undefined;
        if (closing.signal.aborted) return;
      }
      if (clock.monotonic() - beganAt >= HELD_MS) backOff.succeed();
      backOff.fail();
      faults.fault(`driver ${protocol}`, 'driver ended, it is started again', { driver: protocol, why });
      await wait(backOff.waitMs(), closing.signal);
      life = await again();
    }
  }

  async function again(): Promise<Life | undefined> {
    if (closing.signal.aborted) return undefined;
    try {
      const next = await begin(protocol, url, deps, logs);
      faults.over(`driver ${protocol}`, 'driver runs again', { driver: protocol });
      return next;
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  }

  const kept = keep();
  const thread: Thread = {
    calls() {
      if (life) return life.calls;
      throw new DriverError('lost', `the ${protocol} driver ${why}; it is being started again`, protocol);
    },
    onLog: (connection, log) => void logs.set(connection, log),
    number: () => (numbers += 1),
  };
  return {
    module: { protocol, openConnection: (params, given) => openRemote(thread, params, given) },
    async close() {
      closing.abort();
      await life?.end();
      await kept;
      await life?.end(); // One that was just being started.
    },
  };
}

/** Starts one thread and waits until the driver in it is loaded. */
async function begin(
  protocol: string,
  url: string,
  deps: HostDeps,
  logs: ReadonlyMap<number, DriverLog>,
): Promise<Life> {
  const pulse = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(isSource ? 'worker.ts' : 'worker.js', import.meta.url), {
    workerData: { url, protocol, pulse } satisfies WorkerStart,
    name: `${protocol} driver`,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: YOUNG_HEAP_MB },
    stdout: true,
    stderr: true,
  });
  const calls = createCalls((message: Down) => {
    worker.postMessage(message);
  }, deps.wait);
  const up = Promise.withResolvers<undefined>();
  const over = Promise.withResolvers<string>();
  const stop = new AbortController();
  let why: string | undefined;

  worker.on('message', (message: Up) => {
    if (message.type === 'up') up.resolve(undefined);
    else if (message.type === 'log')
      (logs.get(message.connection) ?? deps.log)[message.level](message.facts, message.message);
    else calls.take(message);
  });
  for (const stream of [worker.stdout, worker.stderr])
    stream.on('data', (text: Buffer) => {
      deps.log.warn({ driver: protocol, text: text.toString() }, 'driver printed');
    });
  worker.on('error', (error: unknown) => {
    why ??= `crashed: ${error instanceof Error ? error.message : String(error)}`;
  });
  const finish = (reason: string): void => {
    stop.abort();
    calls.end(new DriverError('lost', `the ${protocol} driver ${reason}`, protocol));
    up.reject(new Error(`the ${protocol} driver ${reason}`));
    over.resolve(reason);
  };
  worker.on('exit', (code) => {
    finish(why ?? `ended by itself with code ${code}`);
  });

  async function end(reason: string): Promise<void> {
    why ??= reason;
    const given = new AbortController();
    const left = deps.wait(LEAVE_MS, given.signal);
    await Promise.race([worker.terminate().catch(() => undefined), left]);
    given.abort();
    finish(why);
  }

  void deps.wait(START_LIMIT_MS, stop.signal).then(() => {
    up.reject(new Error(`the ${protocol} driver was not loaded within ${START_LIMIT_MS / 1_000} s`));
  });
  try {
    await up.promise;
  } catch (error) {
    await end('did not start');
    throw error;
  }
  const { hangMs = HANG_MS } = deps;
  void feel(pulse, hangMs / FEELS, deps.wait, stop.signal).then((isStill) => {
    if (isStill) void end(`hung: its event loop stood still for ${hangMs / 1_000} s`);
  });
  return { calls, over: over.promise, end: () => end('was stopped') };
}

/** Feels the pulse until it stops (true) or `signal` aborts (false). Turns, not time: this thread may be late itself. */
async function feel(pulse: Int32Array, everyMs: number, wait: Wait, signal: AbortSignal): Promise<boolean> {
  let seen = Atomics.load(pulse, 0);
  let still = 0;
  while (!signal.aborted) {
    await wait(everyMs, signal);
    const now = Atomics.load(pulse, 0);
    still = now === seen ? still + 1 : 0;
    seen = now;
    if (still >= FEELS && !signal.aborted) return true;
  }
  return false;
}
