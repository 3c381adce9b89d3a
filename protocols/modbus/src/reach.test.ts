import { expect, test } from 'vitest';
import { createReach } from './reach.ts';

function bench() {
  let time = 0;
  return { reach: createReach(125, () => time), pass: (ms: number) => void (time += ms) };
}

test('a unit that answers short reads twice and the long ones between them never is asked for less', () => {
  const { reach } = bench();
  reach.silent(100, true);
  expect([reach.isInDoubt, reach.most()]).toEqual([true, 125]);
  for (let n = 0; n < 2; n += 1) {
    reach.answered(1);
    expect(reach.most()).toBe(125);
    reach.silent(100, true);
  }
  expect([reach.isInDoubt, reach.most()]).toEqual([false, 50]);
});

test('a unit that is away teaches nothing', () => {
  const { reach } = bench();
  for (let n = 0; n < 10; n += 1) {
    reach.silent(100, true);
    reach.silent(1, false);
  }
  expect([reach.isInDoubt, reach.most()]).toEqual([false, 125]);
});

test('a long read that is answered after all clears the doubt', () => {
  const { reach } = bench();
  reach.silent(100, true);
  reach.answered(1);
  reach.silent(100, true);
  reach.answered(1);
  reach.answered(100);
  reach.silent(100, true);
  expect([reach.isInDoubt, reach.most()]).toEqual([true, 125]);
});

test('what was learned is tried again, twice as long after each hour', () => {
  const { reach, pass } = bench();
  for (let n = 0; n < 3; n += 1) {
    reach.silent(100, true);
    reach.answered(1);
  }
  expect(reach.most()).toBe(50);
  pass(3_600_001);
  expect([reach.most(), reach.most()]).toEqual([100, 100]);
  pass(3_600_001);
  expect(reach.most()).toBe(125);
});
