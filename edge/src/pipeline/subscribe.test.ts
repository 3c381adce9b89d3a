import { type Driver, DriverError, type PointRef, type Sample } from '@parkline/kit';
import { describe, expect, test } from 'vitest';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { createVirtualTime, type VirtualTime } from '../testing/virtual-time.ts';
import { canPush, runSubscribe } from './subscribe.ts';

const start = Date.UTC(2026, 10, 22, 12, 0, 1);
const SECOND = 1_000;
const ref = (pointId: string): PointRef => ({ pointId, address: pointId, scale: 1, kind: 'gauge' });
const sample = (pointId: string, value = 1): Sample => ({
  ...{ pointId, at: start, beganAt: start, value, quality: 'good' },
});
const lost = new DriverError('lost', 'the link broke', 'here');

type Subscribe = NonNullable<Driver['subscribe']>;

/** Ends when it is told to, as every driver should. */
const untilAborted: Subscribe = (_refs, _onSample, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });

function given(subscribe: (attempt: number, time: VirtualTime) => Subscribe, points = ['p', 'q']) {
  const time = createVirtualTime(start);
  const faults = rememberingFaults();
  const state = {
    attempts: [] as number[],
    samples: [] as Sample[],
    told: 0,
    lost: [] as unknown[],
    refuse: undefined as Error | undefined,
  };
  const stop = new AbortController();
  const driver = {
    subscribe: (...args: Parameters<Subscribe>) => {
      state.attempts.push(time.clock.monotonic());
      return subscribe(state.attempts.length, time)(...args);
    },
  } as unknown as Driver;
  if (!canPush(driver)) throw new Error('it can');
  const done = runSubscribe(
    { equipmentId: 'e', name: 'Gate', driver, points: points.map(ref) },
    {
      ...{ clock: time.clock, wait: time.wait, random: () => 0.5, faults },
      onSample(one) {
        if (state.refuse) throw state.refuse;
        state.samples.push(one);
      },
      onTold: () => (state.told += 1),
      onLost: (_equipmentId, error) => state.lost.push(error),
    },
    stop.signal,
  );
  done.catch(() => undefined); // Looked at later, by the test that expects it.
  return { time, faults, state, stop, done };
}

describe('what a device pushes', () => {
  test('goes on as it comes, and proves the device alive', async () => {
    const { time, state, stop, done } = given(() => (refs, onSample, signal) => {
      for (const { pointId } of refs) onSample(sample(pointId));
      return untilAborted(refs, onSample, signal);
    });
    await time.advance(60 * SECOND);
    stop.abort();
    await done;
    expect(state).toMatchObject({ attempts: [0], told: 2, lost: [] });
    expect(state.samples.map(({ pointId }) => pointId)).toEqual(['p', 'q']);
  });

  test('under a name that nobody asked for is not believed', async () => {
    const { time, faults, state } = given(() => (refs, onSample, signal) => {
      onSample(sample('other'));
      return untilAborted(refs, onSample, signal);
    });
    await time.advance(0);
    expect(state).toMatchObject({ samples: [], told: 0 });
    expect(faults.lines[0]).toContain('driver pushed a point nobody asked for');
  });

  test('after its subscription ended counts no more', async () => {
    let leak: ((one: Sample) => void) | undefined;
    const { time, state } = given((attempt) => (refs, onSample, signal) => {
      if (attempt > 1) return untilAborted(refs, onSample, signal);
      leak = onSample;
      return Promise.reject(new DriverError('refused', 'no room for subscriptions', 'here'));
    });
    await time.advance(2 * SECOND);
    leak?.(sample('p'));
    expect(state.samples).toEqual([]);
  });

  test('a device without points is not subscribed', async () => {
    const { done, state } = given(() => untilAborted, []);
    await done;
    expect(state.attempts).toEqual([]);
  });
});

describe('a subscription that ends', () => {
  test('is asked for again with growing pauses, and said once', async () => {
    const { time, faults, state } = given(
      () => () => Promise.reject(new DriverError('refused', 'no COV', 'here')),
    );
    await time.advance(200 * SECOND);
    expect(state.attempts.map((at) => at / SECOND)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    expect(new Set(faults.lines)).toEqual(new Set(['fault device does not push no COV']));
    expect(state).toMatchObject({ samples: [], lost: [] });
  });

  test('after it lasted: the pauses begin anew', async () => {
    const { time, state } = given((attempt, clock) => async (_refs, _onSample, signal) => {
      if (attempt === 4) await clock.wait(100 * SECOND, signal);
      throw new DriverError('timeout', 'no answer', 'here');
    });
    await time.advance(110 * SECOND);
    expect(state.attempts.map((at) => at / SECOND)).toEqual([0, 1, 3, 7, 108, 110]);
  });

  test('again and again, yet held for a while each time, it is asked for again soon', async () => {
    const { time, state } = given((_attempt, clock) => async (_refs, _onSample, signal) => {
      await clock.wait(15 * SECOND, signal);
      throw lost;
    });
    await time.advance(100 * SECOND);
    expect(state.attempts.map((at) => at / SECOND)).toEqual([0, 16, 32, 48, 64, 80, 96]);
  });

  test('because the device is gone: every point is bad at once, and the board is told', async () => {
    const { time, state } = given((attempt) => (refs, onSample, signal) => {
      onSample(sample('p'));
      return attempt === 1 ? Promise.reject(lost) : untilAborted(refs, onSample, signal);
    });
    await time.advance(0);
    expect(state.samples.slice(1)).toMatchObject([
      { pointId: 'p', value: null, quality: 'bad', why: 'lost', at: start },
      { pointId: 'q', value: null, quality: 'bad', why: 'lost', at: start },
    ]);
    expect([state.told, state.lost]).toEqual([1, [lost]]);
    await time.advance(SECOND);
    expect(state.samples.at(-1)).toMatchObject({ pointId: 'p', quality: 'good' });
  });

  test.each([
    ['by a bug', () => () => Promise.reject(new TypeError('undefined is not a function'))],
    [
      'by a bug before it began',
      () => () => {
        throw new TypeError('undefined is not a function');
      },
    ],
    ['without a reason', () => () => Promise.resolve()],
  ])('%s: it is said and tried again, the gateway lives', async (_how, subscribe) => {
    const { time, faults, state } = given(subscribe);
    await time.advance(2 * SECOND);
    expect(state.attempts.length).toBe(2);
    expect(faults.lines[0]).toContain('device does not push');
  });
});

describe('stop', () => {
  test('ends with the subscription', async () => {
    let hasEnded = false;
    const { time, stop, done } = given(() => async (refs, onSample, signal) => {
      await untilAborted(refs, onSample, signal);
      hasEnded = true;
    });
    await time.advance(SECOND);
    stop.abort();
    await done;
    expect(hasEnded).toBe(true);
  });

  test('does not wait for ever for a driver that does not listen', async () => {
    const { time, stop, done } = given(() => () => new Promise(() => undefined));
    await time.advance(SECOND);
    stop.abort();
    await time.advance(SECOND);
    await done;
  });

  test('a disk that fails for good ends it with that failure, not inside the library that pushed', async () => {
    let threw = false;
    const { time, state, done } = given((_attempt, clock) => async (refs, onSample, signal) => {
      await clock.wait(SECOND, signal);
      try {
        onSample(sample('p'));
      } catch {
        threw = true;
      }
      return untilAborted(refs, onSample, signal);
    });
    state.refuse = new Error('torn page');
    await time.advance(2 * SECOND);
    await expect(done).rejects.toThrow('torn page');
    expect(threw).toBe(false);
  });
});
