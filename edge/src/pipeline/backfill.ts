import { type Driver, DriverError, type PointRef, type Sample } from '@parkline/kit';
import type { Logger } from 'pino';
import { type Bell, createBell } from '../base/bell.ts';
import type { Clock, Wait } from '../base/clock.ts';
import type { FaultLog } from '../base/fault-log.ts';
import { createHoleLedger, type Hole, type HoleLedger } from './holes.ts';
import type { HolesFile } from './holes-file.ts';

/** Samples of the past that are filed at once, and the pause after them, ms: live readings come in between. */
const CHUNK = 500;
const CHUNK_PAUSE_MS = 200;
/** Pause before a hole that could not be read is tried again, ms; doubles up to the most. */
const FIRST_RETRY_MS = 5_000;
const MOST_RETRY_MS = 300_000;
/** So long after a point had values again its hole is given up, ms. */
const GIVE_UP_MS = 86_400_000;
/** A device that hands over no page within this time is told to stop, ms; one that does not stop is left behind later. */
const PAGE_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 1_000;
/** Pages in a row that bring nothing newer: a device that goes round in a circle is asked again later. */
const MOST_STALE = 10;
/** Longest sleep of a device without holes, ms. */
const IDLE_MS = 60_000;
/** What is known is written down this often, ms: after a kill so much of the past may be asked for twice. */
const REMEMBER_MS = 60_000;
/** The first time after a start, ms: there is no older word than none. */
const REMEMBER_FIRST_MS = 5_000;

export interface BackfilledDevice {
  readonly equipmentId: string;
  readonly name: string;
  readonly driver: Driver;
  readonly points: readonly PointRef[];
}

export interface BackfillDeps {
  /** Points whose device keeps their history. */
  readonly pointIds: readonly string[];
  readonly file: HolesFile;
  /** Files what the device kept, oldest first: it changes no state. */
  readonly onPast: (samples: readonly Sample[]) => void;
  /** Whether there is room for the past: what is live goes first. */
  readonly hasRoom: () => boolean;
  readonly clock: Clock;
  readonly wait: Wait;
  /** In [0, 1): spreads the retries of many devices. */
  readonly random: () => number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly faults: FaultLog;
}

/** Asks devices for what they kept while the gateway could not hear them: after an outage of either. */
export interface Backfill {
  /** Hears of every live reading. */
  see(samples: readonly Sample[]): void;
  /** Fills the holes of one device until `signal` aborts. Rejects only with what `onPast` throws. */
  fill(device: BackfilledDevice, signal: AbortSignal): Promise<void>;
  /** Keeps on disk what must outlive a restart, until `signal` aborts. */
  remember(signal: AbortSignal): Promise<void>;
  /** The points whose device keeps their history, after the configuration changed. */
  watch(pointIds: readonly string[]): void;
}

export async function createBackfill(deps: BackfillDeps): Promise<Backfill> {
  const { pointIds, file, clock, wait, faults } = deps;
  const ledger = createHoleLedger(pointIds, await file.load(), () => clock.now());
  const bells = new Map<string, Bell>();
  let watched = pointIds.length;

  async function save(): Promise<void> {
    try {
      await file.save(ledger.memory());
      faults.over('history', 'times of the last values are kept again');
    } catch (err) {
      faults.fault('history', 'times of the last values cannot be kept: a restart may leave a hole', { err });
    }
  }

  return {
    see(samples) {
      for (const sample of samples) if (ledger.see(sample)) bells.get(sample.pointId)?.ring();
    },
    async fill(device, signal) {
      const kept = device.points.filter(({ history }) => history !== undefined);
      if (kept.length === 0) return;
      if (!device.driver.history) {
        const { equipmentId, name } = device;
        deps.log.warn({ equipmentId, device: name }, 'history is declared and the driver reads none');
        return;
      }
      const bell = createBell(wait);
      for (const { pointId } of kept) bells.set(pointId, bell);
      await runFill({ ...device, points: kept }, { ...deps, ledger, bell }, signal);
    },
    async remember(signal) {
      for (let pause = REMEMBER_FIRST_MS; !signal.aborted; pause = REMEMBER_MS) {
        await wait(pause, signal);
        if (watched > 0) await save();
      }
    },
    watch(wanted) {
      ledger.watch(wanted);
      watched = wanted.length;
    },
  };
}

interface FillDeps extends BackfillDeps {
  readonly ledger: HoleLedger;
  readonly bell: Bell;
}

/** What became of the tries to fill a hole. */
interface Tries {
  failures: number;
  /** On the monotonic clock. */
  notBefore: number;
}

async function runFill(device: BackfilledDevice, deps: FillDeps, signal: AbortSignal): Promise<void> {
  const { ledger, bell, clock } = deps;
  const refs = new Map(device.points.map((ref) => [ref.pointId, ref]));
  const tried = new Map<string, Tries>();
  while (!signal.aborted) {
    const holes = ledger.open([...refs.keys()]);
    const waits = holes.map((hole) => (tried.get(keyOf(hole))?.notBefore ?? 0) - clock.monotonic());
    const due = holes.find((_, index) => waits[index]! <= 0);
    if (!due) {
      await bell.heard(Math.min(IDLE_MS, ...waits), signal);
      continue;
    }
    const error = await fillOnce(device, refs.get(due.pointId)!, due, deps, signal);
    if (signal.aborted) return;
    if (error === undefined) tried.delete(keyOf(due));
    else postpone(device, due, error, tried, deps);
  }
}

const keyOf = ({ pointId, to }: Hole): string => `${pointId} ${to}`;

/** @returns why the hole could not be filled to its end. Rejects with what `onPast` throws. */
async function fillOnce(
  { equipmentId, name, driver }: BackfilledDevice,
  ref: PointRef,
  hole: Hole,
  deps: FillDeps,
  signal: AbortSignal,
): Promise<unknown> {
  const { ledger, clock, wait, log, faults } = deps;
  const began = clock.monotonic();
  const attempt = new AbortController();
  const stop = AbortSignal.any([signal, attempt.signal]);
  const pages = pagesOf(driver, ref, hole, stop);
  let [count, stale, from] = [0, 0, hole.from];
  try {
    for (;;) {
      const page = await nextPage(pages, attempt, stop, wait);
      if (!page.ok) return page.error;
      if (!page.samples) break;
      const fresh = samplesOf(page.samples, { ...hole, from });
      from = (fresh.at(-1)?.at ?? from - 1) + 1;
      stale = fresh.length > 0 ? 0 : stale + 1;
      if (stale >= MOST_STALE) return new DriverError('garbage', 'the history goes round in a circle', name);
      count += await file(fresh, hole, deps, stop);
      if (stop.aborted) return new DriverError('aborted', 'the gateway stops', name);
    }
  } finally {
    attempt.abort();
    void pages.return(undefined).catch(() => undefined); // Whatever is left unread, nobody waits for it.
  }
  ledger.filled(hole, hole.to);
  const ms = Math.round(clock.monotonic() - began);
  const facts = { equipmentId, device: name, pointId: ref.pointId, ...spanOf(hole), samples: count, ms };
  log.info(facts, 'hole filled from the history of the device');
  faults.over(`history ${equipmentId}`, 'history of the device is read again', { equipmentId, device: name });
  return undefined;
}

/** Begins with the first page that is asked for, so that a driver that throws at once is no other case. */
async function* pagesOf(
  driver: Driver,
  ref: PointRef,
  { from, to }: Hole,
  signal: AbortSignal,
): AsyncGenerator<readonly Sample[]> {
  yield* driver.history!(ref, from, to, signal);
}

/** A page, the end (no samples), or why there is none. */
type Page =
  | { readonly ok: true; readonly samples?: readonly Sample[] }
  | { readonly ok: false; readonly error: unknown };

/** A driver that takes too long is told to stop, and left behind when it does not. */
async function nextPage(
  pages: AsyncIterator<readonly Sample[]>,
  attempt: AbortController,
  stop: AbortSignal,
  wait: Wait,
): Promise<Page> {
  const answered = new AbortController();
  const { promise: leftBehind, reject } = Promise.withResolvers<never>();
  leftBehind.catch(() => undefined); // Nobody waits for it when the page came.
  const leave = (): void => {
    void wait(STOP_LIMIT_MS, answered.signal).then(() =>
      reject(new DriverError('timeout', 'no page of history in time', 'history')),
    );
  };
  void wait(PAGE_LIMIT_MS, AbortSignal.any([answered.signal, stop])).then(() => {
    if (!answered.signal.aborted) attempt.abort();
  });
  if (stop.aborted) leave();
  else stop.addEventListener('abort', leave, { once: true });
  try {
    const next = await Promise.race([pages.next(), leftBehind]);
    return next.done ? { ok: true } : { ok: true, samples: next.value };
  } catch (error) {
    return { ok: false, error };
  } finally {
    stop.removeEventListener('abort', leave);
    answered.abort();
  }
}

/** A value filed under the wrong point or time is worse than none. */
const samplesOf = (page: readonly Sample[], { pointId, from, to }: Hole): Sample[] =>
  page
    .filter((sample) => sample.pointId === pointId && sample.at >= from && sample.at < to)
    .toSorted((a, b) => a.at - b.at);

/** Files a page bit by bit. @returns how many samples were filed before `signal` aborted. */
async function file(
  samples: readonly Sample[],
  hole: Hole,
  { onPast, hasRoom, ledger, wait }: FillDeps,
  signal: AbortSignal,
): Promise<number> {
  let at = 0;
  while (at < samples.length && !signal.aborted) {
    if (hasRoom()) {
      const chunk = samples.slice(at, at + CHUNK);
      onPast(chunk);
      ledger.filled(hole, chunk.at(-1)!.at + 1);
      at += chunk.length;
    }
    await wait(CHUNK_PAUSE_MS, signal);
  }
  return Math.min(at, samples.length);
}

/** Tried again with growing pauses, until the device has been back for a day or says that it cannot. */
function postpone(
  { equipmentId, name }: BackfilledDevice,
  hole: Hole,
  err: unknown,
  tried: Map<string, Tries>,
  { ledger, clock, random, log, faults }: FillDeps,
): void {
  const facts = { equipmentId, device: name, pointId: hole.pointId, ...spanOf(hole), err };
  const isHopeless = err instanceof DriverError && err.code === 'config';
  if (isHopeless || clock.now() - hole.to >= GIVE_UP_MS) {
    ledger.filled(hole, hole.to);
    tried.delete(keyOf(hole));
    log.warn(facts, 'hole given up: the history of the device could not be read');
    return;
  }
  const failures = tried.get(keyOf(hole))?.failures ?? 0;
  const pause = Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures) * (0.75 + random() / 2);
  tried.set(keyOf(hole), { failures: failures + 1, notBefore: clock.monotonic() + pause });
  faults.fault(`history ${equipmentId}`, 'history of the device cannot be read', facts);
}

const spanOf = ({ from, to }: Hole): { from: string; to: string } => ({
  from: new Date(from).toISOString(),
  to: new Date(to).toISOString(),
});
