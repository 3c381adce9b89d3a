import { DriverError, type PointRef, type Sample } from '@parkline/kit';
import { caughtUp } from './catch-up.ts';
import type { Link, Watch } from './link.ts';
import { failureOf } from './trouble.ts';
import { badSample, createSourceClock, type Reading, sampleOf } from './value.ts';

/** A point and the node that shows it. */
export interface Asked {
  readonly ref: PointRef;
  readonly nodeId: string;
  /** Position among the refs that were asked for. */
  readonly index: number;
}

export interface FollowDeps {
  readonly link: Link;
  readonly asked: readonly Asked[];
  readonly onSample: (sample: Sample) => void;
  readonly now: () => number;
  readonly where: string;
  /** The longest that a change is on its way while nothing is wrong, the server's interval between messages apart. */
  readonly onTheWayMs: number;
}

/** A subscription is over when the server was not heard of for so long, ms, or for so many of the signs that it promised. */
const SILENT_MS = 20_000;
const SILENT_SIGNS = 4;
const LOOK_MS = 2_000;

/** Passes on what the server tells of nodes until `signal` aborts. @throws DriverError when it will tell no more. */
export async function follow(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  const { link, asked, where } = deps;
  const { promise: over, resolve, reject } = Promise.withResolvers<undefined>();
  const end = (why: string): void => reject(new DriverError('lost', why, where));
  let looks = 0; // Without a sign. Counted, not timed: the clock may be set.
  const pace = { silentMs: SILENT_MS, publishingMs: 0 };
  const teller = createTeller(deps, () => deps.onTheWayMs + pace.publishingMs, signal);
  const starting = link.monitor(
    asked.map(({ nodeId }) => nodeId),
    {
      ...teller,
      onSign: () => {
        looks = 0;
        teller.onSign();
      },
      onMissed: (isToldAnew) => {
        teller.onMissed(isToldAnew);
        const why = 'changes were lost on the way: the subscription begins anew';
        if (!isToldAnew) reject(new DriverError('refused', why, where));
      },
      onEnd: end,
    },
  );
  starting.then(
    ({ signMs, publishingMs }) => {
      pace.silentMs = Math.max(SILENT_MS, SILENT_SIGNS * signMs);
      pace.publishingMs = publishingMs;
    },
    (error: unknown) => reject(failureOf(error, link, where)),
  );
  signal.addEventListener('abort', () => resolve(undefined), { once: true });
  if (signal.aborted) resolve(undefined);
  const looking = setInterval(() => {
    looks = link.down === undefined ? looks + 1 : 0; // Being mended: the link itself says when that has failed.
    if (looks * LOOK_MS > pace.silentMs) end('the server has stopped telling of changes');
  }, LOOK_MS);
  try {
    await over;
  } finally {
    clearInterval(looking);
    void starting.then((monitoring) => monitoring.close()).catch(() => undefined); // What never began needs no end.
  }
}

/** Makes samples of readings, until `signal` aborts. What comes late is put in order before it is told. */
function createTeller(
  { link, asked, onSample, now }: FollowDeps,
  onTheWayMs: () => number,
  signal: AbortSignal,
): Omit<Watch, 'onEnd'> {
  let timeOf = createSourceClock(now(), onTheWayMs);
  const latest = new Map<number, Reading>();
  const held = new Map<number, Reading[]>();
  let isGap = false;
  let signAt = now();

  function tell(index: number, reading: Reading, isKept: boolean): void {
    const before = latest.get(index);
    latest.set(index, reading);
    if (signal.aborted || (before && isRepeat(before, reading))) return;
    const at = timeOf(reading.sourceAt, now(), isKept);
    onSample(sampleOf(asked[index]!.ref, reading, { beganAt: at, at }));
  }
  function tellHeld(): void {
    for (const [index, readings] of held)
      for (const reading of caughtUp(readings, latest.get(index))) tell(index, reading, true);
    held.clear();
  }
  function tellBad(index: number, why: string, at: number): void {
    if (!signal.aborted) onSample(badSample(asked[index]!.ref, why, { beganAt: at, at }));
  }
  return {
    onReading(index, reading) {
      if (link.down === undefined && !isGap) return tell(index, reading, false);
      const list = held.get(index) ?? [];
      held.set(index, list);
      list.push(reading);
    },
    onSign: () => void (signAt = now()),
    onMended: () => void (isGap || tellHeld()),
    onGap: () => void (isGap = true),
    onWhole() {
      isGap = false;
      if (link.down === undefined) tellHeld();
    },
    onMissed() {
      tellHeld();
      latest.clear(); // What is told anew is no repeat after this, and may have stood for long.
      timeOf = createSourceClock(now(), onTheWayMs);
      asked.forEach((_, index) => tellBad(index, 'changes were lost', Math.min(signAt, now())));
    },
    onRefused: (index, { name }) => tellBad(index, name, now()),
  };
}

/** A server that made a subscription anew tells again what was told: the same value of the same source time. */
const isRepeat = (before: Reading, { sourceAt, value, status }: Reading): boolean =>
  sourceAt !== undefined &&
  before.sourceAt === sourceAt &&
  before.value === value &&
  before.status.code === status.code;
