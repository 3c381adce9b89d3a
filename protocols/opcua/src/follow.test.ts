import { type PointRef, type Sample } from '@parkline/kit';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { follow } from './follow.ts';
import type { Link, Watch } from './link.ts';
import type { Reading } from './value.ts';

const start = Date.UTC(2026, 10, 22, 12);
const ref = (pointId: string): PointRef => ({ pointId, address: pointId, scale: 1, kind: 'gauge' });

let now: number;
let watch: Watch;
let told: Sample[];
let stop: AbortController;
let over: Promise<unknown>;
const link = { down: undefined as string | undefined };

/** Two points of a link that says what the test says. */
beforeEach(async () => {
  now = start;
  told = [];
  link.down = undefined;
  stop = new AbortController();
  const monitored: Link = Object.assign(link, {
    monitor: (_nodeIds: readonly string[], given: Watch) => {
      watch = given;
      return Promise.resolve({ signMs: 5_000, publishingMs: 500, close: () => Promise.resolve() });
    },
  }) as unknown as Link;
  const asked = ['p', 'q'].map((name, index) => ({ ref: ref(name), nodeId: name, index }));
  const onSample = (sample: Sample): void => void told.push(sample);
  const deps = { link: monitored, asked, onSample, now: () => now, where: 'plc', onTheWayMs: 2_000 };
  over = follow(deps, stop.signal).catch((error: unknown) => error);
  await Promise.resolve();
});
afterEach(async () => {
  stop.abort();
  await over;
});

/** The server tells a value of the node at `index` that came to be `ms` after the start. */
const tell = (index: number, ms: number, value: number): void => {
  const reading: Reading = {
    ...{ type: 'Double', isArray: false, value, status: { name: 'Good', code: 0 }, sourceAt: start + ms },
  };
  watch.onReading(index, reading);
};
const shown = () => told.map(({ pointId, at, value, why }) => [pointId, at - start, value ?? why]);

test('what comes while earlier messages are missing waits for them, and each has its own time', () => {
  now = start + 5_000;
  tell(0, 4_000, 1);
  watch.onGap();
  tell(0, 4_900, 3);
  tell(0, 4_500, 2); // Asked for again.
  expect(shown()).toEqual([['p', 4_000, 1]]);
  watch.onWhole();
  tell(0, 4_950, 4);
  expect(shown().slice(1)).toEqual([
    ['p', 4_500, 2],
    ['p', 4_900, 3],
    ['p', 4_950, 4],
  ]);
});

test('a link that is mended with messages missing tells nothing before they came', () => {
  now = start + 5_000;
  link.down = 'broken';
  tell(0, 4_900, 2);
  watch.onGap();
  link.down = undefined;
  watch.onMended();
  expect(shown()).toEqual([]);
  tell(0, 4_500, 1);
  watch.onWhole();
  expect(shown()).toEqual([
    ['p', 4_500, 1],
    ['p', 4_900, 2],
  ]);
});

test('changes that are lost for good make every point bad, after what did come, and the subscription begins anew', async () => {
  now = start + 5_000;
  watch.onSign();
  watch.onGap();
  tell(0, 4_900, 2);
  watch.onWhole();
  watch.onMissed(false);
  expect(shown()).toEqual([
    ['p', 4_900, 2],
    ['p', 5_000, 'changes were lost'],
    ['q', 5_000, 'changes were lost'],
  ]);
  expect(await over).toMatchObject({ code: 'refused' });
});

test('a server that forgot the subscription and tells all anew: bad since it was heard last, then what is', () => {
  now = start + 1_000;
  tell(1, 900, 7);
  watch.onSign();
  now = start + 4_000;
  watch.onMissed(true);
  tell(1, 900, 7);
  expect(shown()).toEqual([
    ['q', 900, 7],
    ['p', 1_000, 'changes were lost'],
    ['q', 1_000, 'changes were lost'],
    ['q', 4_000, 7],
  ]);
});

test('a clock that is set forward ends nothing, and silence does, whatever the clock says', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const told: string[] = [];
  const quiet = {
    ...link,
    monitor: (_: unknown, given: Watch) => {
      watch = given;
      return Promise.resolve({ signMs: 5_000, publishingMs: 500, close: () => Promise.resolve() });
    },
  };
  const ending = follow(
    {
      link: quiet as unknown as Link,
      asked: [],
      onSample: () => undefined,
      now: () => now,
      where: 'plc',
      onTheWayMs: 0,
    },
    stop.signal,
  ).catch((error: unknown) => void told.push(String(error)));
  now += 3_600_000;
  vi.advanceTimersByTime(4_000);
  await Promise.resolve();
  expect(told).toEqual([]);
  watch.onSign();
  now -= 7_200_000;
  vi.advanceTimersByTime(24_000);
  await ending;
  expect(told).toEqual([expect.stringContaining('has stopped telling')]);
});

test('a server that chose to speak seldom is not taken for a dead one', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const ended: string[] = [];
  const seldom = {
    ...link,
    monitor: () => Promise.resolve({ signMs: 60_000, publishingMs: 30_000, close: () => Promise.resolve() }),
  };
  const ending = follow(
    {
      ...{ link: seldom as unknown as Link, asked: [], onSample: () => undefined },
      ...{ now: () => now, where: 'plc', onTheWayMs: 0 },
    },
    stop.signal,
  ).catch((error: unknown) => void ended.push(String(error)));
  await Promise.resolve();
  vi.advanceTimersByTime(238_000);
  await Promise.resolve();
  expect(ended).toEqual([]);
  vi.advanceTimersByTime(6_000);
  await ending;
  expect(ended).toEqual([expect.stringContaining('has stopped telling')]);
});
