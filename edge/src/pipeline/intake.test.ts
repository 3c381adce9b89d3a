import type { Sample } from '@parkline/kit';
import { expect, test } from 'vitest';
import { createVirtualTime } from '../testing/virtual-time.ts';
import type { StampedSample } from './codec.ts';
import { createIntake } from './intake.ts';
import { createStamper } from './stamp.ts';

const noon = Date.UTC(2026, 10, 22, 12, 5);
const quarter = Date.UTC(2026, 10, 22, 12, 15);
const rule = { deadband: 1, heartbeatMs: 60_000, pollMs: 1_000, every: false } as const;

function given() {
  const out: StampedSample[] = [];
  const intake = createIntake({
    points: [
      { pointId: 'kw', rule: { ...rule, kind: 'gauge' } },
      { pointId: 'kwh', rule: { ...rule, kind: 'register' } },
    ],
    stamper: createStamper(createVirtualTime(noon).clock),
    add: (sample) => out.push(sample),
  });
  return { intake, out };
}
const sample = (pointId: string, at: number, value: number): Sample => ({
  ...{ pointId, at, beganAt: at, value, quality: 'good' },
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
