import { type Driver, DriverError, type PointRef, type Sample } from '@parkline/kit';
import { expect, onTestFinished, test } from 'vitest';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { createVirtualTime } from '../testing/virtual-time.ts';
import { createBackfill } from './backfill.ts';
import type { HoleMemory } from './holes.ts';

const noon = Date.UTC(2026, 10, 22, 12);
const hour = 3_600_000;
const refOf = (pointId: string): PointRef => ({
  ...{ pointId, address: pointId, scale: 1, kind: 'gauge', history: 'self' },
});
const sampleAt = (pointId: string, at: number, value = at - noon): Sample => ({
  ...{ pointId, at, beganAt: at, value, quality: 'good' },
});
type History = NonNullable<Driver['history']>;

/** A device that kept a value each 10 s, a hundred to a page. */
const keeping: History = async function* (ref, from, to) {
  for (let at = Math.ceil(from / 10_000) * 10_000; at < to; at += 1_000_000) {
    await Promise.resolve();
    const ends = Math.min(to, at + 1_000_000);
    const count = Math.ceil((ends - at) / 10_000);
    yield Array.from({ length: count }, (_, index) => sampleAt(ref.pointId, at + index * 10_000));
  }
};

async function given(history: History | undefined, memory: HoleMemory = {}) {
  const time = createVirtualTime(noon);
  const state = { history, hasRoom: true, saved: memory };
  const asked: [from: number, to: number][] = [];
  const past: Sample[] = [];
  const log: string[] = [];
  const faults = rememberingFaults();
  const note = (_facts: object, message: string): void => void log.push(message);
  const backfill = await createBackfill({
    pointIds: ['p', 'q'],
    file: {
      load: () => Promise.resolve(state.saved),
      save: (given) => Promise.resolve(void (state.saved = given)),
    },
    onPast: (samples) => past.push(...samples),
    hasRoom: () => state.hasRoom,
    clock: time.clock,
    wait: time.wait,
    random: () => 0.5,
    log: { info: note, warn: note } as never,
    faults,
  });
  const driver = {
    ...(history && {
      history(...args: Parameters<History>) {
        asked.push([args[1] - noon, args[2] - noon]);
        return state.history!(...args);
      },
    }),
  } as Driver;
  const stop = new AbortController();
  const device = { equipmentId: 'e', name: 'Meter', driver, points: [refOf('p'), refOf('q')] };
  const running = Promise.all([backfill.fill(device, stop.signal), backfill.remember(stop.signal)]);
  onTestFinished(async () => {
    stop.abort();
    await time.advance(5_000);
    await running;
  });
  const see = (ms: number, quality: Sample['quality'], pointId = 'p'): void =>
    backfill.see([{ ...sampleAt(pointId, noon + ms), quality, value: quality === 'bad' ? null : 1 }]);
  /** The point has no value from `from` to `to` (ms after noon), which is then the time. */
  async function outage(from: number, to: number, pointId = 'p'): Promise<void> {
    see(from, 'good', pointId);
    await time.advance(to - (time.clock.now() - noon));
    see(from + 1, 'bad', pointId);
    see(to, 'good', pointId);
  }
  return { time, state, asked, past, log, faults, see, outage, stop, running };
}

test('after an outage the device is asked for the hole and for nothing else, in order, page by page', async () => {
  const { time, asked, past, outage, log } = await given(keeping);
  await outage(0, hour);
  expect(past).toEqual([]);
  await time.advance(10_000);
  expect(asked).toEqual([[1, hour]]);
  expect(past.map(({ at }) => at - noon)).toEqual(
    Array.from({ length: 359 }, (_, index) => (index + 1) * 10_000),
  );
  expect(log).toEqual(['hole filled from the history of the device']);
  await time.advance(hour);
  expect(asked).toHaveLength(1);
});

test('a device that never was away is asked for nothing', async () => {
  const { time, asked, see } = await given(keeping);
  for (let ms = 0; ms < 60_000; ms += 5_000) {
    await time.advance(5_000);
    see(ms, 'good');
  }
  expect(asked).toEqual([]);
});

test('a device that fails half way is asked for the rest, with growing pauses', async () => {
  const { time, state, asked, past, outage, faults } = await given(keeping);
  state.history = async function* (...args) {
    for await (const page of keeping(...args)) {
      yield page;
      throw new DriverError('lost', 'cut', 'meter');
    }
  };
  await outage(0, hour);
  await time.advance(1_000);
  expect(past).toHaveLength(100);
  state.history = () => {
    throw new DriverError('timeout', 'silent', 'meter');
  };
  await time.advance(60_000);
  expect(asked.map(([from]) => from)).toEqual([1, 1_000_001, 1_000_001, 1_000_001]);
  state.history = keeping;
  await time.advance(60_000);
  expect(past.map(({ at }) => at - noon)).toEqual(
    Array.from({ length: 359 }, (_, index) => (index + 1) * 10_000),
  );
  expect(faults.lines.at(-1)).toBe('over history of the device is read again');
});

test('what fails for a day is given up with a word, and what cannot be asked for at once', async () => {
  const { time, state, asked, outage, log } = await given(keeping);
  state.history = () => {
    throw new DriverError('refused', 'no history today', 'meter');
  };
  await outage(0, 60_000);
  await time.advance(25 * hour);
  expect(log).toEqual(['hole given up: the history of the device could not be read']);
  const tries = asked.length;
  expect(tries).toBeLessThan(320);
  state.history = () => {
    throw new DriverError('config', 'no such log', 'meter');
  };
  await outage(26 * hour, 26 * hour + 1_000);
  await time.advance(10_000);
  expect([asked.length - tries, log.length]).toEqual([1, 2]);
});

test('one point that cannot be filled keeps no other from it', async () => {
  const { time, state, past, outage } = await given(keeping);
  state.history = (ref, ...rest) => {
    if (ref.pointId === 'p') throw new DriverError('refused', 'not this one', 'meter');
    return keeping(ref, ...rest);
  };
  await outage(0, 60_000);
  await outage(0, 60_000, 'q');
  await time.advance(2_000);
  expect(past.map(({ pointId, at }) => [pointId, at - noon])).toEqual(
    [10, 20, 30, 40, 50].map((s) => ['q', s * 1_000]),
  );
});

test('a driver that neither answers nor gives up is left behind, and asked again', async () => {
  const { time, state, asked, past, outage } = await given(keeping);
  state.history = async function* () {
    await new Promise(() => undefined);
    yield [];
  };
  await outage(0, 60_000);
  await time.advance(62_000);
  expect(asked).toHaveLength(1);
  state.history = keeping;
  await time.advance(10_000);
  expect(past).toHaveLength(5);
});

test('samples of another point or time are not filed, and those out of order are put right', async () => {
  const { time, state, past, outage } = await given(keeping);
  state.history = async function* () {
    await Promise.resolve();
    yield [30_000, 10_000, 60_000, -1]
      .map((ms) => sampleAt('p', noon + ms))
      .concat(sampleAt('q', noon + 5_000));
  };
  await outage(0, 60_000);
  await time.advance(1_000);
  expect(past.map(({ pointId, at }) => [pointId, at - noon])).toEqual([
    ['p', 10_000],
    ['p', 30_000],
  ]);
});

test('a device that hands out the same for ever is filed once, and asked again later', async () => {
  const { time, state, asked, past, outage, faults } = await given(keeping);
  let pages = 0;
  state.history = async function* (ref) {
    for (; ; pages += 1) {
      await Promise.resolve();
      yield [10_000, 20_000].map((ms) => sampleAt(ref.pointId, noon + ms));
    }
  };
  await outage(0, 60_000);
  await time.advance(4_000);
  expect(past.map(({ at }) => at - noon)).toEqual([10_000, 20_000]);
  expect(pages).toBeLessThan(20);
  expect(faults.lines).toEqual([expect.stringContaining('the history goes round in a circle') as string]);
  state.history = keeping;
  await time.advance(10_000);
  expect(asked.at(-1)).toEqual([20_001, 60_000]);
  expect(past.map(({ at }) => at - noon)).toEqual([10_000, 20_000, 30_000, 40_000, 50_000]);
});

test('the past waits while there is no room for it', async () => {
  const { time, state, past, outage } = await given(keeping);
  state.hasRoom = false;
  await outage(0, 60_000);
  await time.advance(120_000);
  expect(past).toEqual([]);
  state.hasRoom = true;
  await time.advance(1_000);
  expect(past).toHaveLength(5);
});

test('a large page is filed bit by bit', async () => {
  const { time, state, past, outage } = await given(keeping);
  state.history = async function* () {
    await Promise.resolve();
    yield Array.from({ length: 1_200 }, (_, index) => sampleAt('p', noon + 1 + index));
  };
  await outage(0, 60_000);
  await time.advance(0);
  expect(past).toHaveLength(500);
  await time.advance(200);
  expect(past).toHaveLength(1_000);
  await time.advance(200);
  expect(past).toHaveLength(1_200);
});

test('a gateway that was away asks for the time since its last value, and what it knew is kept', async () => {
  const first = await given(keeping);
  first.see(0, 'good');
  first.stop.abort();
  await first.time.advance(1_000);
  await first.running;
  const { time, past, asked, see } = await given(keeping, first.state.saved);
  await time.advance(30_000);
  see(30_000, 'good');
  await time.advance(1_000);
  expect(asked).toEqual([[1, 30_000]]);
  expect(past.map(({ at }) => at - noon)).toEqual([10_000, 20_000]);
});

test('a driver that reads no history is no failure, but is said once', async () => {
  const { time, outage, log } = await given(undefined);
  await outage(0, 60_000);
  await time.advance(60_000);
  expect(log).toEqual(['history is declared and the driver reads none']);
});
