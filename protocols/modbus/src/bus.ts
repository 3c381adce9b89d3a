import { type BackOff, createBackOff, type Dial, DriverError, type DriverLog } from '@parkline/kit';
import type { Framer } from './frame.ts';
import { type Answer, type Line, type LinePace, openLine } from './line.ts';
import { createFairQueue } from './queue.ts';
import type { Request } from './requests.ts';
import { createTrust } from './trust.ts';

export interface BusDeps {
  readonly dial: Dial;
  readonly createFramer: () => Framer;
  /** Names the connection in errors. */
  readonly where: string;
  readonly timeoutMs: number;
  readonly pace: LinePace;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: DriverLog;
}

export type Reply = Answer & {
  /** Unix ms when the request went out. */
  readonly beganAt: number;
  /** Unix ms when the answer was complete. */
  readonly at: number;
};

/**
 * poll: waits for its turn; a silent unit is left alone. write: goes ahead of all polling, and asks a silent unit too. inquiry: like a
 * poll that asks a silent unit too, and no answer is no fault. search: an inquiry with little patience, for nobody may be there.
 */
export type Errand = 'poll' | 'write' | 'inquiry' | 'search';

/** One connection or serial line, and the units on it. */
export interface Bus {
  /** Connects if it is not. Rejects with DriverError 'lost' or 'aborted'. */
  open(signal: AbortSignal): Promise<void>;
  /**
   * Waits for its turn, asks, and gives the device's answer or refusal. Rejects with DriverError: 'timeout' (a poll also at once,
   * while a silent unit is left alone), 'lost', 'garbage', 'aborted'.
   */
  ask(request: Request, signal: AbortSignal, errand?: Errand): Promise<Reply>;
  /** Whether a silent unit is left alone at the moment. */
  isResting(unit: number): boolean;
  /** Fails what waits for a unit, writes included. */
  drop(unit: number): void;
  /** For good. Resolves when the line can be opened by others. Safe twice. */
  close(): Promise<void>;
}

interface Job {
  readonly request: Request;
  readonly errand: Errand;
  settle(outcome: Reply | DriverError): void;
}

/** A unit that keeps silent is asked again after 2, 4, 8, ... time-outs, at most after this. */
const MOST_SILENT_MS = 30_000;
const DIAL_AGAIN = { firstMs: 200, mostMs: 5_000 };
/** A unit that cannot be asked whether it is late is believed again after this many time-outs, and at least so long. */
const FORGET_ON_A_LINE = { timeouts: 8, leastMs: 2_000 };
/** The connection was closed meanwhile: only a server that hands bytes of its line on to whoever is there tells what is late. */
const FORGET_ON_A_CONNECTION = { timeouts: 3, leastMs: 500 };
/** Longest wait for a unit that may not be there. */
const SEARCH_MS = 250;

/** Gateway path unavailable, gateway target failed to respond: the gateway speaks for a unit that is not there. */
const isUnitMissing = (answer: Answer): boolean =>
  answer.kind === 'exception' && (answer.code === 0x0a || answer.code === 0x0b);

/**
 * The actor of a connection: a fair queue, one request in flight, and the unit inside the job. A silent unit costs the
 * others one time-out now and then, never more; what a request got is only ever told to that request.
 */
export function createBus(deps: BusDeps): Bus {
  const { where, now, random, timeoutMs, pace } = deps;
  const queue = createFairQueue<Job>();
  const silence = new Map<number, BackOff>();
  // Pauses and doubts go by a clock that is never set: one that jumps must neither end a pause nor make a late answer believed.
  const steady = (): number => performance.now();
  const dialling = createBackOff(DIAL_AGAIN, steady, random);
  const forget = pace.isSerial ? FORGET_ON_A_LINE : FORGET_ON_A_CONNECTION;
  const trust = createTrust(Math.max(forget.leastMs, forget.timeouts * timeoutMs), steady, random);
  const searchMs = Math.min(timeoutMs, SEARCH_MS);
  const life = new AbortController();
  let line: Line | undefined;
  let opening: Promise<Line> | undefined;
  let isRunning = false;

  const silenceOf = (unit: number): BackOff => {
    const known =
      silence.get(unit) ?? createBackOff({ firstMs: 2 * timeoutMs, mostMs: MOST_SILENT_MS }, steady, random);
    silence.set(unit, known);
    return known;
  };
  const silent = (unit: number, why: string): DriverError => {
    const waitMs = Math.round(silenceOf(unit).waitMs());
    return new DriverError('timeout', `${why}; asked again in ${waitMs} ms`, `${where} unit ${unit}`);
  };

  async function connect(): Promise<Line> {
    if (line?.isUsable) return line;
    await line?.close('worn out');
    line = undefined;
    const waitMs = Math.round(dialling.waitMs());
    if (waitMs > 0) throw new DriverError('lost', `not connected; tried again in ${waitMs} ms`, where);
    try {
      const framer = deps.createFramer();
      line = await openLine({ dial: deps.dial, framer, pace, where }, life.signal);
      dialling.succeed();
      deps.log.debug({ where }, 'connected');
      return line;
    } catch (error) {
      dialling.fail();
      throw error;
    }
  }

  /** One attempt at a time, shared by all who need it. */
  function lineUp(): Promise<Line> {
    opening ??= connect().finally(() => {
      opening = undefined;
    });
    return opening;
  }

  const usable = (): Line | Promise<Line> => (line?.isUsable ? line : lineUp());

  async function serve({ request, errand, settle }: Job): Promise<void> {
    const { unit } = request;
    let open = await usable();
    let isAsked = false;
    try {
      const isInquiry = errand === 'search' || errand === 'inquiry';
      if (!pace.isNumbered && !isInquiry) {
        await trust.assure(unit, (asked) => onceQuiet(open, asked));
        open = await usable(); // The question may have ended the connection.
      }
      const pause = open.ready();
      if (pause) await pause;
      const beganAt = now();
      isAsked = true;
      const patience = { timeoutMs: errand === 'search' ? searchMs : timeoutMs, isInquiry };
      const answer = await open.ask(request, patience);
      if (isUnitMissing(answer)) throw new DriverError('timeout', 'the gateway finds no such unit', where);
      silence.get(unit)?.succeed();
      settle(
        answer.kind === 'data'
          ? { kind: 'data', data: answer.data, beganAt, at: now() }
          : { kind: 'exception', code: answer.code, beganAt, at: now() },
      );
    } catch (error) {
      const failure = asDriverError(error, where);
      settle(failure);
      if (isAsked && (failure.code === 'timeout' || failure.code === 'garbage')) trust.lose(unit);
      // On a line that never answered, the unit is the likeliest reason that it broke: it must not take the others along again.
      const isSilent = failure.code === 'timeout' || !open.hasAnswered;
      if (isSilent && (errand === 'poll' || errand === 'write')) leaveAlone(unit, failure.message);
    }
  }

  async function onceQuiet(open: Line, request: Request): Promise<Answer> {
    await open.ready();
    return open.ask(request, { timeoutMs });
  }

  function leaveAlone(unit: number, why: string): void {
    silenceOf(unit).fail();
    for (const job of queue.drain(unit)) job.settle(silent(unit, why));
  }

  async function run(): Promise<void> {
    isRunning = true;
    for (let job = queue.take(); job; job = queue.take()) {
      try {
        await serve(job);
      } catch (error) {
        const failure = asDriverError(error, where); // No line: nobody on this bus can be served now.
        for (const lost of [job, ...queue.drain()]) lost.settle(failure);
      }
    }
    isRunning = false;
  }

  return {
    async open(signal) {
      if (life.signal.aborted) throw closed(where);
      if (!line?.isUsable) await untilAborted(lineUp(), signal, where);
    },
    ask(request, signal, errand = 'poll') {
      const { unit } = request;
      if (life.signal.aborted) return Promise.reject(closed(where));
      if (signal.aborted) return Promise.reject(aborted(where));
      if (errand === 'poll' && (silence.get(unit)?.waitMs() ?? 0) > 0)
        return Promise.reject(silent(unit, 'silent'));
      return new Promise((resolve, reject) => {
        // A request in flight cannot be called back: its caller leaves at once, the line stays taken until the answer.
        const onAbort = (): void => {
          queue.remove(unit, job);
          reject(aborted(where));
        };
        const job: Job = {
          request,
          errand,
          settle(outcome) {
            signal.removeEventListener('abort', onAbort);
            if (outcome instanceof DriverError) reject(outcome);
            else resolve(outcome);
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        queue.push(unit, job, errand === 'write');
        if (!isRunning) void run();
      });
    },
    isResting: (unit) => (silence.get(unit)?.waitMs() ?? 0) > 0,
    drop(unit) {
      const urgent = queue.drainUrgent(({ request }) => request.unit === unit);
      for (const job of [...urgent, ...queue.drain(unit)]) job.settle(closed(where));
    },
    async close() {
      if (!life.signal.aborted) {
        life.abort();
        for (const job of queue.drain()) job.settle(closed(where));
      }
      await opening?.catch(() => undefined); // What is being opened is opened in vain.
      await line?.close('closed');
    },
  };
}

const closed = (where: string): DriverError => new DriverError('lost', 'the connection was closed', where);
const aborted = (where: string): DriverError => new DriverError('aborted', 'given up', where);

function asDriverError(error: unknown, where: string): DriverError {
  if (error instanceof DriverError) return error;
  const isAbort = error instanceof Error && error.name === 'AbortError';
  return isAbort ? closed(where) : new DriverError('lost', String(error), where, { cause: error });
}

/** The promise, or a rejection when the signal aborts first. The work itself goes on for the others who wait for it. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal, where: string): Promise<T> {
  if (signal.aborted) return Promise.reject(aborted(where));
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted(where));
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
