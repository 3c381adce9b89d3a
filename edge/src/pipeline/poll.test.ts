import { type Driver, DriverError, type PointRef, type Sample } from '@parkline/kit';
import { describe, expect, test } from 'vitest';
import { createVirtualTime, type VirtualTime } from '../testing/virtual-time.ts';
import { type PolledPoint, runPoll } from './poll.ts';

const start = Date.UTC(2026, 10, 22, 12, 0, 1);
const SECOND = 1_000;
const MINUTE = 60_000;

const point = (pointId: string, pollMs: number, kind: PolledPoint['kind'] = 'gauge'): PolledPoint => ({
  ...{ pointId, pollMs, kind, address: pointId, scale: 1 },
});
const register = (pointId: string, pollMs = MINUTE) => point(pointId, pollMs, 'register');

type Read = Driver['read'];

/** A device that answers after `delayMs`, or as told. Remembers what was asked and when it began, ms since start. */
function fakeDevice(time: VirtualTime, delayMs = 0) {
  const asked: [atMs: number, points: string][] = [];
  const device = {
    asked,
    inFlight: 0,
    most: 0,
    answer: (async (refs, signal) => {
      await time.wait(delayMs, signal);
      return samplesOf(refs, time);
    }) as Read,
    driver: undefined as unknown as Driver,
  };
  device.driver = {
    connect: () => Promise.resolve(),
    async *browse() {
      yield* [];
    },
    async read(refs, signal) {
      asked.push([time.clock.now() - start, refs.map(({ pointId }) => pointId).join()]);
      device.inFlight += 1;
      device.most = Math.max(device.most, device.inFlight);
      try {
        return await device.answer(refs, signal);
      } finally {
        device.inFlight -= 1;
      }
    },
    close: () => Promise.resolve(),
  };
  return device;
}

const samplesOf = (refs: readonly PointRef[], time: VirtualTime): Sample[] =>
  refs.map(({ pointId }) => ({
    ...{ pointId, at: time.clock.now(), beganAt: time.clock.now(), value: 1, quality: 'good' },
  }));

interface Options {
  readonly phase?: number;
  readonly delayMs?: number;
  readonly answer?: (time: VirtualTime) => Read;
}

function given(points: readonly PolledPoint[], { phase = 0, delayMs = 0, answer }: Options = {}) {
  const time = createVirtualTime(start);
  const device = fakeDevice(time, delayMs);
  if (answer) device.answer = answer(time);
  const samples: Sample[] = [];
  const outcomes: unknown[] = [];
  const passed: string[] = [];
  const stop = new AbortController();
  const done = runPoll(
    { equipmentId: 'e', driver: device.driver, points, phase },
    {
      clock: time.clock,
      wait: time.wait,
      onSamples: (more) => samples.push(...more),
      onOutcome: (_equipmentId, error) => outcomes.push(error),
      failpoint: (name) => passed.push(name),
    },
    stop.signal,
  );
  return { time, device, samples, outcomes, passed, stop, done };
}

/** Never answers, but gives up when told to. */
const hang =
  (time: VirtualTime): Read =>
  async (_refs, signal) => {
    await time.wait(Number.MAX_SAFE_INTEGER, signal);
    throw new DriverError('aborted', 'gave up', 'here');
  };

describe('the beat', () => {
  test('each group keeps its own; the first reading comes at once', async () => {
    const { time, device } = given([point('fast', SECOND), point('slow', 3 * SECOND)]);
    await time.advance(4 * SECOND);
    expect(device.asked).toEqual([
      [0, 'fast,slow'],
      [1_000, 'fast'],
      [2_000, 'fast'],
      [3_000, 'fast,slow'],
      [4_000, 'fast'],
    ]);
  });

  test('does not drift when answers take time', async () => {
    const { time, device } = given([point('p', SECOND)], { delayMs: 333 });
    await time.advance(600 * SECOND);
    expect(device.asked.length).toBe(601);
    expect(device.asked.at(-1)?.[0]).toBe(600_000);
  });

  test('devices spread over the period, their first reading over one second', async () => {
    const { time, device } = given([point('p', 10 * SECOND)], { phase: 0.5 });
    await time.advance(26 * SECOND);
    expect(device.asked.map(([at]) => at)).toEqual([500, 5_000, 15_000, 25_000]);
  });

  test('a slow device skips beats and never has two reads at once', async () => {
    const { time, device } = given([point('p', SECOND), point('q', 700)], { delayMs: 2_500 });
    await time.advance(20 * SECOND);
    expect(device.most).toBe(1);
    expect(device.asked.length).toBeLessThanOrEqual(9);
  });

  test('a device without points is left alone', async () => {
    const { time, device } = given([]);
    await time.advance(MINUTE);
    expect(device.asked).toEqual([]);
  });
});

describe('quarter hours', () => {
  const quarterIn = 14 * MINUTE + 59 * SECOND; // after `start`

  test('registers, and only they, are read again at the quarter', async () => {
    const { time, device } = given([register('kwh', 7 * MINUTE), point('kw', 7 * MINUTE)]);
    await time.advance(16 * MINUTE);
    expect(device.asked).toEqual([
      [0, 'kwh,kw'],
      [7 * MINUTE, 'kwh,kw'],
      [14 * MINUTE, 'kwh,kw'],
      [quarterIn, 'kwh'],
    ]);
  });

  test('all day long, once each', async () => {
    const { time, device } = given([register('kwh', 6 * 60 * MINUTE)]);
    await time.advance(5 * 60 * MINUTE);
    expect(device.asked.slice(1).map(([at]) => at - quarterIn)).toEqual(
      Array.from({ length: 20 }, (_, i) => i * 15 * MINUTE),
    );
  });

  test('a failed boundary reading is tried again while it still counts', async () => {
    const { time, device } = given([register('kwh', 60 * MINUTE)]);
    await time.advance(MINUTE);
    device.answer = () => Promise.reject(new DriverError('timeout', 'no answer', 'here'));
    await time.advance(15 * MINUTE);
    expect(device.asked.slice(1).map(([at]) => at - quarterIn)).toEqual([
      0, 2_000, 4_000, 6_000, 8_000, 10_000,
    ]);
  });

  test('a clock set back finds the earlier quarter again', async () => {
    const { time, device } = given([register('kwh', 600 * MINUTE)]);
    await time.advance(MINUTE);
    time.jump(-10 * MINUTE);
    await time.advance(10 * MINUTE);
    expect(device.asked.at(-1)?.[0]).toBe(-SECOND); // 12:00:00, a second before the start
  });

  test('a clock set forward over a quarter does not pass a late reading off as one', async () => {
    const { time, device } = given([register('kwh', 600 * MINUTE)]);
    await time.advance(MINUTE);
    time.jump(15 * MINUTE);
    await time.advance(MINUTE);
    expect(device.asked).toHaveLength(1);
    await time.advance(15 * MINUTE);
    expect(device.asked).toHaveLength(2);
  });
});

describe('a device that fails', () => {
  test('every point asked for turns bad, with the reason, and polling goes on', async () => {
    const error = new DriverError('timeout', 'no answer', 'here');
    const { time, device, samples, outcomes } = given([point('p', SECOND), point('q', SECOND)], {
      answer: () => () => Promise.reject(error),
    });
    await time.advance(0);
    expect(samples).toMatchObject([
      { pointId: 'p', value: null, quality: 'bad', why: 'timeout' },
      { pointId: 'q', value: null, quality: 'bad', why: 'timeout' },
    ]);
    expect(outcomes).toEqual([error]);
    device.answer = (refs) => Promise.resolve(samplesOf(refs, time));
    await time.advance(SECOND);
    expect(samples.at(-1)).toMatchObject({ pointId: 'q', quality: 'good' });
    expect(outcomes.at(-1)).toBeUndefined();
  });

  test("a bug in a driver is that device's silence, not our end", async () => {
    const answer = () => () => {
      throw new TypeError('undefined is not a function');
    };
    const { time, samples } = given([point('p', SECOND)], { answer });
    await time.advance(SECOND);
    expect(samples).toMatchObject([{ why: 'internal' }, { why: 'internal' }]);
  });

  test('values for other points than asked are not believed', async () => {
    const { time, samples } = given([point('p', SECOND), point('q', SECOND)], {
      answer: (clock) => (refs) => Promise.resolve(samplesOf(refs.toReversed(), clock)),
    });
    await time.advance(0);
    expect(samples).toMatchObject([{ quality: 'bad', why: 'garbage' }, { quality: 'bad' }]);
  });

  test('a read that hangs is told to give up', async () => {
    const { time, device, samples } = given([point('p', SECOND)], { answer: hang });
    await time.advance(31 * SECOND);
    expect(samples).toMatchObject([{ quality: 'bad', why: 'aborted' }]);
    expect(device.asked).toHaveLength(2);
  });
});

describe('a first reading that failed', () => {
  test('is tried again soon, ever later up to the beat, until there was one', async () => {
    const { time, device, outcomes } = given([register('kwh', MINUTE)], {
      answer: () => () => Promise.reject(new DriverError('timeout', 'no answer', 'here')),
    });
    await time.advance(70 * SECOND);
    expect(device.asked.map(([at]) => at / SECOND)).toEqual([0, 2, 6, 14, 30, 60]);
    device.answer = (refs) => Promise.resolve(samplesOf(refs, time));
    await time.advance(60 * SECOND);
    expect(outcomes.at(-1)).toBeUndefined();
    device.answer = () => Promise.reject(new DriverError('timeout', 'no answer', 'here'));
    const before = device.asked.length;
    await time.advance(110 * SECOND);
    expect(device.asked.slice(before).map(([at]) => at / SECOND)).toEqual([180, 240]);
  });

  test('does not make the other groups of the device late', async () => {
    const { time, device } = given([point('fast', SECOND), point('slow', 10 * SECOND)], {
      answer: (clock) => (refs) =>
        refs.some(({ pointId }) => pointId === 'slow')
          ? Promise.reject(new DriverError('timeout', 'no answer', 'here'))
          : Promise.resolve(samplesOf(refs, clock)),
    });
    await time.advance(4 * SECOND);
    expect(device.asked.filter(([, points]) => points.includes('fast'))).toHaveLength(5);
  });
});

describe('a driver that does not listen', () => {
  const deaf = () => () => new Promise<never>(() => undefined);

  test('is left behind: its points are bad and it is asked again', async () => {
    const { time, device, samples } = given([point('p', 60 * SECOND)], { answer: deaf });
    await time.advance(61 * SECOND);
    expect(samples[0]).toMatchObject({ quality: 'bad', why: 'timeout' });
    expect(device.asked.length).toBeGreaterThan(1);
  });

  test('holds up no stop', async () => {
    const { time, samples, stop, done } = given([point('p', SECOND)], { answer: deaf });
    await time.advance(500);
    stop.abort();
    await time.advance(SECOND);
    await done;
    expect(samples).toEqual([]);
  });
});

describe('stop', () => {
  test('ends a read in flight without inventing bad values', async () => {
    const { time, samples, stop, done } = given([point('p', SECOND)], { answer: hang });
    await time.advance(500);
    stop.abort();
    await done;
    expect(samples).toEqual([]);
  });

  test('passes its failpoint before a reading goes anywhere', async () => {
    const { time, passed, samples } = given([point('p', SECOND)]);
    await time.advance(0);
    expect([passed, samples.length]).toEqual([['after-poll'], 1]);
  });
});
