import { describe, expect, test } from 'vitest';
import {
  compareSets,
  deadbandFaults,
  type Entry,
  holes,
  repeatsOf,
  seriesDifferences,
  unacceptedSpans,
  unheld,
  unmatched,
  unvouched,
  withoutRepeats,
} from './laws.ts';

const entry = (at: number, value: number | null, point = 'p'): Entry => ({ point, at, value });

describe('the laws see what they are for', () => {
  test('a lost, a doubled and a changed sample', () => {
    const accepted = [entry(1, 10), entry(2, 20), entry(3, 30)];
    const stored = [entry(1, 10), entry(1, 10), entry(3, 31)];
    expect(compareSets(accepted, stored)).toEqual({
      lost: ['p|2|20', 'p|3|30'],
      extra: ['p|1|10', 'p|3|31'],
    });
    expect(compareSets(accepted, [...accepted].reverse())).toEqual({ lost: [], extra: [] });
  });

  test('what was accepted twice is stored once, and not at all is a loss', () => {
    const accepted = [entry(1, 10), entry(2, 20), entry(1, 10)];
    expect(compareSets(accepted, [entry(1, 10), entry(2, 20)])).toEqual({ lost: [], extra: [] });
    expect(compareSets(accepted, [entry(2, 20)])).toEqual({ lost: ['p|1|10'], extra: [] });
    expect(compareSets(accepted, accepted)).toEqual({ lost: [], extra: ['p|1|10'] });
    expect(repeatsOf(accepted)).toEqual([entry(1, 10)]);
    expect(repeatsOf([entry(1, 10), entry(1, 11), entry(2, 10), entry(1, 10, 'q')])).toEqual([]);
  });

  test('a value on the wrong point, with the wrong scale, or too late', () => {
    const served = [entry(0, 5), entry(1_000, 6), entry(0, 50, 'q')];
    expect(unvouched([entry(10, 5), entry(1_010, 6)], served, 500)).toEqual([]);
    for (const wrong of [entry(10, 50), entry(10, 0.5), entry(900, 5), entry(10, 5, 'r')])
      expect(unvouched([wrong], served, 500)).toEqual([wrong]);
  });

  test('one served value vouches for one sample only', () => {
    expect(unvouched([entry(10, 5), entry(20, 5)], [entry(0, 5)], 500)).toEqual([entry(20, 5)]);
  });

  test('what a device told of its own accord, and what nobody told', () => {
    const apart = { beforeMs: 100, afterMs: 50 };
    const told = [entry(0, 5), entry(200, 6), entry(210, 6)];
    expect(unmatched([entry(240, 6), entry(90, 5), entry(160, 6)], told, apart)).toEqual([]);
    for (const wrong of [entry(101, 5), entry(149, 6), entry(10, 7), entry(10, 5, 'q')])
      expect(unmatched([wrong], told, apart)).toEqual([wrong]);
    expect(unmatched([entry(0, 5), entry(1, 5)], told, apart)).toEqual([entry(1, 5)]);
    expect(withoutRepeats([...told, entry(200, 6), entry(200, 7)])).toEqual([...told, entry(200, 7)]);
  });

  test('a read of what was told last, and one of what was told no more', () => {
    const told = [entry(0, 5), entry(1_000, 6)];
    expect(unheld([entry(10, 5), entry(900, 5), entry(1_050, 5), entry(9_000, 6)], told, 100)).toEqual([]);
    for (const wrong of [entry(1_101, 5), entry(899, 6), entry(10, 50), entry(10, 5, 'q')])
      expect(unheld([wrong], told, 100)).toEqual([wrong]);
  });

  test('a missing or re-ordered value of a series', () => {
    expect(seriesDifferences([entry(1, 1), entry(2, 2)], [entry(0, 1), entry(1, 2)])).toEqual([]);
    expect(seriesDifferences([entry(1, 1), entry(2, 2)], [entry(0, 1)])).toEqual([]);
    expect(seriesDifferences([entry(1, 1)], [entry(0, 1), entry(1, 2)])).toEqual(['p: served 2, accepted 1']);
    expect(seriesDifferences([entry(1, 2), entry(2, 1)], [entry(0, 1), entry(1, 2)])).toHaveLength(1);
  });

  test('holes and what they cost', () => {
    const accepted = [entry(5, 1), entry(5_005, 6)];
    const served = [entry(0, 1), entry(1_000, 2), entry(2_000, 3), entry(5_000, 6)];
    expect(holes(accepted, 1_500)).toEqual([{ from: 5, to: 5_005 }]);
    expect(unacceptedSpans(accepted, served, 500)).toEqual([{ from: 1_000, to: 2_000 }]);
  });

  test('a deadband that swallows too much, and a silence', () => {
    const rule = { deadband: 1, heartbeatMs: 10_000, pollMs: 1_000, until: 9_000 };
    const served = [entry(0, 1), entry(1_000, 1.9), entry(2_000, 2.5), entry(9_000, 2.5)];
    expect(deadbandFaults([entry(5, 1), entry(2_005, 2.5)], served, rule)).toEqual([]);
    expect(deadbandFaults([entry(5, 1)], served, rule)).toHaveLength(2);
    expect(deadbandFaults([entry(5, 1), entry(20_005, 1)], [], rule)).toEqual(['silent 20000 ms from 5']);
    const growing = [entry(0, 1), entry(1_000, 5), entry(2_000, 9)];
    const stored = growing.map(({ at, value }) => entry(at + 5, value));
    expect(deadbandFaults(stored, growing, { ...rule, until: 1_500 })).toEqual([]);
  });
});
