import type { ChildProcess } from 'node:child_process';
import { type Command, ended, start } from './command.ts';
import type { LogFile } from './log-file.ts';

/** Who needs whom: services of one stage stop together, and the last stage stops first. */
export const stages = ['database', 'broker', 'cloud', 'field'] as const;
export type Stage = (typeof stages)[number];

/** A process that is kept alive. */
export interface Service {
  readonly name: string;
  readonly stage: Stage;
  readonly command: Command;
  /** Resolves when the service can be used. Called at each start; gives up when `signal` aborts. */
  readonly ready: (process: Running, signal: AbortSignal) => Promise<void>;
  /** Longest time from start to ready; a database that recovers needs more than the rest. */
  readonly readyWithinMs: number;
  readonly stopSignal: NodeJS.Signals;
  /** How long a clean stop may take before SIGKILL. */
  readonly stopWithinMs: number;
}

/** One life of a service. */
export interface Running {
  readonly pid: number;
  /** Calls `handler` with each line the process writes to its standard output. */
  onLine(handler: (line: string) => void): void;
}

export interface SupervisorDeps {
  readonly openLog: (name: string) => Promise<LogFile>;
  /** Told when a service died and when it is back. */
  readonly notice: (text: string) => void;
  /** Told the ids of living processes after each change. */
  readonly onPids: (pids: ReadonlyMap<string, number>) => void;
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
}

export interface Supervisor {
  /** Starts a service and keeps it alive. @throws ServiceError when it ends before it was ready for the first time. */
  run(service: Service): Promise<void>;
  /** Stops one life of a running service; the next one begins at once. */
  restart(name: string): void;
  /** Stops everything, last stage first. Nothing is started any more. */
  stop(): Promise<void>;
  /** SIGKILL to everything that still lives. */
  kill(): void;
}

/** A service ended while it was started; the message holds its last words. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
}

const shortestPauseMs = 250;
const longestPauseMs = 30_000;
/** A life this long was a good one: the next pause is the shortest again. */
const goodLifeMs = 30_000;

/** How long to wait before start number `failures` + 1 in a row. */
export const pauseMs = (failures: number): number =>
  Math.min(longestPauseMs, shortestPauseMs * 2 ** failures);

interface Kept {
  readonly service: Service;
  readonly log: LogFile;
  child: ChildProcess | undefined;
  loop: Promise<void>;
}

export function createSupervisor(deps: SupervisorDeps): Supervisor {
  const kept = new Map<string, Kept>();
  const stopping = new AbortController();

  function tellPids(): void {
    const living = [...kept].flatMap(([name, { child }]) => (child?.pid ? [[name, child.pid] as const] : []));
    deps.onPids(new Map(living));
  }

  /** One life, from start to end. `onReady` is called when the service can be used. */
  async function live(one: Kept, onReady: () => void): Promise<void> {
    const child = start(one.service.command);
    one.child = child;
    tellPids();
    const life = new AbortController();
    const timer = setTimeout(() => child.kill('SIGKILL'), one.service.readyWithinMs);
    const process = follow(child, one.log);
    one.service.ready(process, life.signal).then(
      () => {
        clearTimeout(timer);
        if (!life.signal.aborted) onReady();
      },
      () => child.kill('SIGKILL'),
    );
    await ended(child);
    clearTimeout(timer);
    life.abort(new ServiceError(`${one.service.name} ended`));
    one.child = undefined;
    tellPids();
  }

  async function keepAlive(
    one: Kept,
    firstReady: () => void,
    firstFailed: (error: Error) => void,
  ): Promise<void> {
    let wasReady = false;
    for (let failures = 0; !stopping.signal.aborted;) {
      const began = deps.now();
      await live(one, () => {
        if (wasReady) deps.notice(`${one.service.name} is back`);
        wasReady = true;
        firstReady();
      });
      if (stopping.signal.aborted) break;
      if (!wasReady) {
        firstFailed(new ServiceError(`${one.service.name} ended while starting:\n${one.log.tail()}`));
        return;
      }
      failures = deps.now() - began >= goodLifeMs ? 0 : failures + 1;
      const pause = pauseMs(failures - 1);
      deps.notice(`${one.service.name} ended; starting it again in ${(pause / 1000).toFixed(2)} s`);
      await deps.wait(pause, stopping.signal);
    }
    firstFailed(new ServiceError(`${one.service.name} was stopped`));
  }

  return {
    async run(service) {
      const one: Kept = {
        service,
        log: await deps.openLog(service.name),
        child: undefined,
        loop: Promise.resolve(),
      };
      kept.set(service.name, one);
      await new Promise<void>((resolve, reject) => {
        one.loop = keepAlive(one, resolve, reject);
      });
    },
    restart(name) {
      const one = kept.get(name);
      one?.child?.kill(one.service.stopSignal);
    },
    async stop() {
      stopping.abort();
      for (const stage of stages.toReversed()) {
        const here = [...kept.values()].filter(({ service }) => service.stage === stage);
        await Promise.all(here.map(stopOne));
      }
      await Promise.all([...kept.values()].map(({ log }) => log.close()));
    },
    kill() {
      stopping.abort();
      for (const { child } of kept.values()) child?.kill('SIGKILL');
    },
  };
}

async function stopOne({ service, child, loop }: Kept): Promise<void> {
  const timer = setTimeout(() => child?.kill('SIGKILL'), service.stopWithinMs);
  child?.kill(service.stopSignal);
  await loop;
  clearTimeout(timer);
}

/** Copies what the process writes to its log, and offers its standard output by lines. */
function follow(child: ChildProcess, log: LogFile): Running {
  const handlers: ((line: string) => void)[] = [];
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    log.write(text);
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) for (const handler of handlers) handler(line);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => log.write(text));
  child.once('error', (error) => log.write(`${error.message}\n`));
  // Held open and never written: its end tells the process that the starter is gone.
  child.stdin?.on('error', () => undefined);
  return { pid: child.pid ?? 0, onLine: (handler) => void handlers.push(handler) };
}
