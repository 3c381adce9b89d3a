import type { Sample } from '@parkline/kit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createVirtualTime } from '../testing/virtual-time.ts';
import type { StampedSample } from './codec.ts';
import { createIntake } from './intake.ts';
import type { ReportRule } from './report.ts';
import { createStamper } from './stamp.ts';

const noon = Date.UTC(2026, 10, 22, 12, 5);
const quarter = Date.UTC(2026, 10, 22, 12, 15);
const rule = { deadband: 1, heartbeatMs: 60_000, pollMs: 1_000, every: false } as const;

function given(over: Partial<ReportRule> = {}) {
  const out: StampedSample[] = [];
  const time = createVirtualTime(noon);
  const intake = createIntake({
    points: [
      { pointId: 'kw', rule: { ...rule, kind: 'gauge', ...over } },
      { pointId: 'kwh', rule: { ...rule, kind: 'register', ...over }, hasHistory: true },
    ],
    stamper: createStamper(time.clock),
    add: (sample) => out.push(sample),
    now: () => time.clock.now(),
  });
  return { intake, out, time, told: () => out.map(({ at, value }) => [at - noon, value]) };
}
const sample = (pointId: string, at: number, value: number, beganAt = at): Sample => ({
  ...{ pointId, at, beganAt, value, quality: 'good' },
});

test('what says nothing new goes no further; the rest is stamped and indexed', () => {
  const { intake, out } = given();
  intake.accept([sample('kw', noon, 20), sample('kwh', noon, 7)]);
  intake.accept([sample('kw', noon + 1, 20.5), sample('kwh', noon + 1, 8)]);
  expect(out.map(({ point, at, value }) => [point, at - noon, value])).toEqual([
    [0, 0, 20],
    [1, 0, 7],
    [1, 1, 8],
  ]);
});

test('the deadband counts from what was sent, not from what was read', () => {
  const { intake, out } = given();
  for (let i = 0; i <= 20; i += 1) intake.accept([sample('kw', noon + i, i / 10)]);
  expect(out.map(({ value }) => value)).toEqual([0, 1, 2]);
});

test('a register near a quarter hour carries the mark of the boundary', () => {
  const { intake, out } = given();
  intake.accept([sample('kwh', quarter + 500, 7), sample('kw', quarter + 500, 1)]);
  expect(out.map(({ boundary }) => boundary)).toEqual([true, false]);
});

test('a point whose sample was refused is sent again at its next reading', () => {
  const { intake, out } = given();
  intake.accept([sample('kw', noon, 20)]);
  intake.forget(0);
  intake.accept([sample('kw', noon + 1, 20)]);
  expect(out).toHaveLength(2);
});

test('what cannot be a value is sent as bad', () => {
  const { intake, out } = given();
  intake.accept([sample('kw', noon, Number.NaN)]);
  expect(out[0]).toMatchObject({ value: null, quality: 'bad' });
});

test('a sample of a point that is not ours is a bug and says so', () => {
  expect(() => {
    given().intake.accept([sample('other', noon, 1)]);
  }).toThrow('point other');
});

describe('pushed and polled', () => {
  test('both ways report by the same exceptions: the deadband counts from what either sent', async () => {
    const { intake, time, told } = given();
    intake.acceptPush(sample('kw', noon, 20));
    await time.advance(1_000);
    intake.accept([sample('kw', noon + 1_000, 20.5)]);
    intake.acceptPush(sample('kw', noon + 1_000, 21));
    expect(told()).toEqual([
      [0, 20],
      [1_000, 21],
    ]);
  });

  test('a poll that met a push on its way does not undo it', async () => {
    const { intake, time, told } = given();
    await time.advance(50);
    intake.acceptPush(sample('kw', noon + 50, 30));
    await time.advance(50);
    intake.accept([sample('kw', noon + 100, 20, noon)]);
    intake.acceptPush(sample('kw', noon + 100, 30.5));
    expect(told()).toEqual([[50, 30]]);
  });

  test('where every reading counts, it is kept as what it was: the state before', async () => {
    const { intake, time, told } = given({ every: true });
    await time.advance(50);
    intake.acceptPush(sample('kw', noon + 50, 30));
    await time.advance(50);
    intake.accept([sample('kw', noon + 100, 20, noon), sample('kwh', noon + 100, 7, noon)]);
    expect(told()).toEqual([
      [50, 30],
      [0, 20],
      [100, 7],
    ]);
  });

  test('a read that failed does not turn a point bad that was pushed meanwhile', async () => {
    const { intake, time, out } = given();
    await time.advance(50);
    intake.acceptPush(sample('kw', noon + 50, 30));
    await time.advance(950);
    const failed = { at: noon + 1_000, beganAt: noon, value: null, quality: 'bad', why: 'timeout' } as const;
    intake.accept([
      { ...failed, pointId: 'kw' },
      { ...failed, pointId: 'kwh' },
    ]);
    expect(out.map(({ point, quality }) => [point, quality])).toEqual([
      [0, 'good'],
      [1, 'bad'],
    ]);
  });

  test('history told late is kept and changes no state', async () => {
    const { intake, time, told } = given();
    await time.advance(120_000);
    intake.accept([sample('kw', noon + 120_000, 20)]);
    intake.acceptPush(sample('kw', noon + 10_000, 50));
    intake.acceptPush(sample('kw', noon + 10_000, 50));
    intake.acceptPush(sample('kw', noon + 120_000, 20.5));
    expect(told()).toEqual([
      [120_000, 20],
      [10_000, 50],
    ]);
  });

  test('a slow clock of the device costs a moment, never the order', async () => {
    const { intake, time, told } = given();
    await time.advance(5_000);
    intake.accept([sample('kw', noon + 5_000, 20)]);
    for (const value of [30, 40, 20]) intake.acceptPush(sample('kw', noon + 2_000 + value, value));
    expect(told()).toEqual([
      [5_000, 20],
      [5_001, 30],
      [5_002, 40],
      [5_003, 20],
    ]);
  });

  test('whatever comes, and however late, no point has two samples of one time, and the last is what was told last', () => {
    const step = fc.record({ ms: fc.nat(3), lag: fc.nat(5), value: fc.nat(3), isPush: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = noon;
        const out: StampedSample[] = [];
        const intake = createIntake({
          points: [{ pointId: 'kw', rule: { ...rule, kind: 'gauge', deadband: 0 } }],
          stamper: createStamper({ now: () => now, monotonic: () => now }),
          add: (one) => out.push(one),
          now: () => now,
        });
        for (const { ms, lag, value, isPush } of steps) {
          now += ms;
          if (isPush) intake.acceptPush(sample('kw', now - lag, value));
          else intake.accept([sample('kw', now, value, now - lag)]);
        }
        const times = out.map(({ at }) => at);
        expect(new Set(times).size).toBe(times.length);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        const pushes = steps.filter(({ isPush }) => isPush);
        if (pushes.length === steps.length && pushes.length > 0)
          expect(out.at(-1)?.value).toBe(pushes.at(-1)?.value);
      }),
    );
  });
});

describe('the past', () => {
  test('is filed at its own time by the rule of its point, and changes no state', () => {
    const { intake, told } = given();
    intake.accept([sample('kw', noon, 20)]);
    intake.accept([sample('kw', noon + 30_000, 20)]);
    intake.acceptPast([11, 12, 12.5, 20].map((value, index) => sample('kw', noon + 1_000 * index, value)));
    intake.accept([sample('kw', noon + 31_000, 20.5)]);
    expect(told()).toEqual([
      [0, 20],
      [-1, 11],
      [1_000, 12],
      [3_000, 20],
    ]);
  });

  test('keeps the marks of the boundary, and is whole under report.every', () => {
    const { intake, out } = given({ every: true });
    intake.acceptPast([
      sample('kwh', quarter - 1, 7),
      sample('kwh', quarter, 7),
      sample('kwh', quarter + 60_000, 7),
    ]);
    expect(out.map(({ at, boundary }) => [at - quarter, boundary])).toEqual([
      [-1, false],
      [0, true],
      [60_000, false],
    ]);
  });

  test('does not fall on the bad sample that stood in for it', () => {
    const { intake, out } = given({ every: true });
    for (const at of [noon + 1_000, noon + 2_000])
      intake.accept([{ ...sample('kwh', at, 0), value: null, quality: 'bad' }]);
    intake.accept([sample('kwh', noon + 9_000, 7)]);
    intake.acceptPast([1, 2, 3].map((n) => sample('kwh', noon + n * 1_000, n)));
    expect(out.slice(3).map(({ at, value }) => [at - noon, value])).toEqual([
      [1_001, 1],
      [2_001, 2],
      [3_000, 3],
    ]);
  });

  test('of a point that nobody asked for is a bug', () => {
    expect(() => given().intake.acceptPast([sample('other', noon, 1)])).toThrow('nobody asked for');
  });
});
