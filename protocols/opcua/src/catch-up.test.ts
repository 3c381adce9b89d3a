import { expect, test } from 'vitest';
import { caughtUp } from './catch-up.ts';
import type { Reading } from './value.ts';

const at = (sourceAt: number | undefined, value: number): Reading => ({
  type: 'Double',
  isArray: false,
  value,
  status: { name: 'Good', code: 0 },
  sourceAt,
});
const values = (held: Reading[], told?: Reading) => caughtUp(held, told).map(({ value }) => value);

test('what was sent again after newer values comes before them, once', () => {
  expect(values([at(50, 5), at(10, 1), at(20, 2), at(50, 5)], at(5, 0))).toEqual([1, 2, 5]);
});

test('what was told before the break is not told again', () => {
  expect(values([at(5, 0), at(6, 1), at(7, 2)], at(6, 1))).toEqual([2]);
  expect(values([at(6, 1)], at(6, 1))).toEqual([]);
});

test('a sensor that failed without a new time has failed', () => {
  const failed = { ...at(6, 1), status: { name: 'BadSensorFailure', code: 0x808c0000 } };
  expect(caughtUp([failed], at(6, 1))).toEqual([failed]);
  expect(caughtUp([at(6, 1), failed, failed], at(5, 0))).toEqual([at(6, 1), failed]);
});

test('a node that was never told begins with all there is', () => {
  expect(values([at(5, 0), at(6, 1)])).toEqual([0, 1]);
});

test('a server whose clock was set back is believed where it says another value', () => {
  expect(values([at(1, 8), at(2, 9)], at(100, 7))).toEqual([9]);
  expect(values([at(2, 7)], at(100, 7))).toEqual([]);
});

test('without source times the order of arrival stands', () => {
  expect(values([at(undefined, 2), at(1, 1)], at(100, 7))).toEqual([2, 1]);
});
