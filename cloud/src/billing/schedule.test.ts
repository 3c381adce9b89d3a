import { describe, expect, test } from 'vitest';
import type { BandRule } from './scenario.ts';
import { createBandTable } from './schedule.ts';

const every = ['workday', 'weekend', 'holiday'] as const;
const rule = (band: string, from: number, to: number, over: Partial<BandRule> = {}): BandRule => ({
  band,
  from,
  to,
  days: every,
  months: [],
  ...over,
});

describe('createBandTable', () => {
  const at = createBandTable([
    rule('deep', 690, 840, { days: ['holiday'] }),
    rule('hot', 840, 900, { months: [7, 8] }),
    rule('valley', 1380, 420),
    rule('peak', 510, 690),
    rule('flat', 420, 1380),
  ]);

  test.each([
    ['the minute before midnight', 'workday', 1, 1439, 'valley'],
    ['midnight, over which the band runs', 'workday', 1, 0, 'valley'],
    ['its last minute', 'workday', 1, 419, 'valley'],
    ['its end, which is exclusive', 'workday', 1, 420, 'flat'],
    ['the minute before a half-hour limit', 'weekend', 1, 509, 'flat'],
    ['a half-hour limit', 'weekend', 1, 510, 'peak'],
    ['a holiday band, first in the list', 'holiday', 1, 690, 'deep'],
    ['not on other days', 'workday', 1, 690, 'flat'],
    ['a season', 'workday', 8, 840, 'hot'],
    ['not in other months', 'workday', 9, 840, 'flat'],
  ] as const)('%s', (_why, type, month, minute, expected) => {
    expect(at(type, month, minute)).toBe(expected);
  });

  test('a minute that no rule covers has no band', () => {
    expect(createBandTable([rule('day', 0, 720)])('workday', 1, 720)).toBeUndefined();
  });
});
