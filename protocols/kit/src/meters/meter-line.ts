import { type BackOff, createBackOff } from '../back-off.ts';
import type { DriverLog } from '../driver.ts';
import { DriverError } from '../errors.ts';
import type { Dial } from '../line/byte-line.ts';
import { createTurns } from './turns.ts';
import { openWire, type Question, type Wire } from './wire.ts';

export interface MeterLineDeps {
  readonly dial: Dial;
  /** Names the line in errors. */
  readonly where: string;
  /** For a whole answer, from the first byte of the question. */
  readonly timeoutMs: number;
  /** Silence after a time-out before the next question, so that a late answer meets nobody. */
  readonly quietMs: number;
  /** Unix ms, for the times of answers. */
  readonly now: () => number;
  /** ms from anywhere, by which pauses end: a clock that is set makes none longer or shorter. */
  readonly steady: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: DriverLog;
}

/** An answer with its times. */
export interface Told<Answer> {
  readonly answer: Answer;
  /** Unix ms when the question went out. */
  readonly beganAt: number;
  /** Unix ms when the answer was complete. */
  readonly at: number;
}

/** One serial line, or a TCP connection to one, with the meters on it. */
export interface MeterLine {
  /** Connects if it is not. Rejects with DriverError 'lost' or 'aborted'. */
  open(signal: AbortSignal): Promise<void>;
  /** Waits for its turn and asks. Rejects with DriverError 'timeout' (at once while a silent meter is left alone), 'lost', 'aborted'. */
  ask<Answer>(question: Question<Answer>, signal: AbortSignal): Promise<Told<Answer>>;
  /** Fails what waits for a meter. */
  drop(meter: string): void;
  /** For good. Resolves when the line may be opened by somebody else. Safe twice. */
  close(): Promise<void>;
}

interface Job {
  readonly question: Question<unknown>;
  settle(outcome: Told<unknown> | DriverError): void;
}

/** A silent meter is asked again after 2, 4, 8, ... time-outs, at most after this. */
const MOST_SILENT_MS = 30_000;
const DIAL_AGAIN = { firstMs: 200, mostMs: 5_000 };
/** Questions in a row without an answer from anyone after which an open link counts as dead. */
const MISSES_OF_A_DEAD_LINK = 3;

/**
 * The actor of a line on which meters answer when asked: turns over the meters, one question in flight, silent meters left alone.
 * After a time-out the line must fall quiet before anyone else is asked.
 */
export function createMeterLine(deps: MeterLineDeps): MeterLine {
  const { where, now, steady, random, timeoutMs } = deps;
  const turns = createTurns<Job>();
  const silence = new Map<string, BackOff>();
  const dialling = createBackOff(DIAL_AGAIN, steady, random);
  const life = new AbortController();
  let wire: Wire | undefined;
  let opening: Promise<Wire> | undefined;
  let isRunning = false;
  let misses = 0;

  const silent = (meter: string, why: string): DriverError => {
    const waitMs = Math.round(silence.get(meter)?.waitMs() ?? 0);
    return new DriverError('timeout', `${why}; asked again in ${waitMs} ms`, `${where} meter ${meter}`);
  };

  async function connect(): Promise<Wire> {
    const waitMs = Math.round(dialling.waitMs());
    if (waitMs > 0) throw new DriverError('lost', `not connected; tried again in ${waitMs} ms`, where);
    try {
      wire = await openWire(deps.dial, where, life.signal);
      misses = 0;
      dialling.succeed();
      deps.log.debug({ where }, 'connected');
      return wire;
    } catch (error) {
      dialling.fail();
      throw error;
    }
  }

  /** One attempt at a time, shared by all who need it. */
  function wireUp(): Promise<Wire> {
    if (wire?.isOpen) return Promise.resolve(wire);
    opening ??= connect().finally(() => {
      opening = undefined;
    });
    return opening;
  }

  async function serve({ question, settle }: Job): Promise<void> {
    const open = await wireUp();
    const beganAt = now();
    try {
      const answer = await open.ask(question, timeoutMs);
      misses = 0;
      silence.delete(question.meter);
      settle({ answer, beganAt, at: now() });
    } catch (error) {
      const failure = asDriverError(error, where);
      if (failure.code === 'timeout') {
        misses += 1;
        leaveAlone(question);
      }
      settle(failure);
      if (misses >= MISSES_OF_A_DEAD_LINK) await open.close('closed after time-outs');
      else if (failure.code === 'timeout') await open.drain(deps.quietMs);
    }
  }

  function leaveAlone({ meter, isSearch }: Question<unknown>): void {
    if (isSearch) return;
    const known =
      silence.get(meter) ?? createBackOff({ firstMs: 2 * timeoutMs, mostMs: MOST_SILENT_MS }, steady, random);
    silence.set(meter, known);
    known.fail();
    for (const job of turns.drain(meter)) job.settle(silent(meter, 'silent'));
  }

  async function run(): Promise<void> {
    isRunning = true;
    for (let job = turns.take(); job; job = turns.take()) {
      try {
        await serve(job);
      } catch (error) {
        const failure = asDriverError(error, where); // No link: nobody on this line can be served now.
        for (const lost of [job, ...turns.drain()]) lost.settle(failure);
      }
    }
    isRunning = false;
  }

  function ask<Answer>(question: Question<Answer>, signal: AbortSignal): Promise<Told<Answer>> {
    const { meter } = question;
    if (life.signal.aborted) return Promise.reject(closed(where));
    if (signal.aborted) return Promise.reject(aborted(where));
    if (!question.isSearch && (silence.get(meter)?.waitMs() ?? 0) > 0)
      return Promise.reject(silent(meter, 'silent'));
    return new Promise((resolve, reject) => {
      // A question in flight cannot be called back: its caller leaves at once, the line stays taken until the answer.
      const onAbort = (): void => {
        turns.remove(meter, job);
        reject(aborted(where));
      };
      const job: Job = {
        question,
        settle(outcome) {
          signal.removeEventListener('abort', onAbort);
          if (outcome instanceof DriverError) reject(outcome);
          else resolve(outcome as Told<Answer>);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      turns.push(meter, job);
      if (!isRunning) void run();
    });
  }

  return {
    ask,
    async open(signal) {
      if (life.signal.aborted) throw closed(where);
      if (signal.aborted) throw aborted(where);
      await untilAborted(wireUp(), signal, where);
    },
    drop(meter) {
      for (const job of turns.drain(meter)) job.settle(closed(where));
    },
    async close() {
      life.abort();
      for (const job of turns.drain()) job.settle(closed(where));
      await opening?.catch(() => undefined); // What is being opened is opened in vain.
      await wire?.close('closed');
    },
  };
}

const closed = (where: string): DriverError => new DriverError('lost', 'the line was closed', where);
const aborted = (where: string): DriverError => new DriverError('aborted', 'given up', where);

const asDriverError = (error: unknown, where: string): DriverError =>
  error instanceof DriverError ? error : new DriverError('lost', String(error), where, { cause: error });

/** The promise, or a rejection when the signal aborts first. The work itself goes on for the others who wait for it. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal, where: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted(where));
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
