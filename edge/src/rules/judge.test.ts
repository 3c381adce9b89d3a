import type { Sample } from '@parkline/kit';
import { expect, test } from 'vitest';
import { type AlarmTrack, calm, passTime, takeReading } from './judge.ts';
import type { AlarmRule } from './schema.ts';

const rule = (over: Partial<AlarmRule>): AlarmRule => ({
  ...{ key: 'k', point: 'p', when: 'above', limit: 30, hysteresis: 2, forS: 10, text: 'too warm' },
  ...over,
});
const sample = (value: number | null): Sample => ({
  ...{ pointId: 'p', at: 0, beganAt: 0, value, quality: value === null ? 'bad' : 'good' },
});

/** Readings at these seconds. @returns what was told, and when. */
function play(
  alarm: AlarmRule,
  readings: readonly (readonly [second: number, value: number | null])[],
  until: number,
) {
  const told: string[] = [];
  let track: AlarmTrack = calm;
  for (let second = 0; second <= until; second += 1) {
    const steps = readings
      .filter(([at]) => at === second)
      .map(
        ([, value]) =>
          (now: AlarmTrack) =>
            takeReading(alarm, now, sample(value), second * 1_000),
      );
    for (const step of [...steps, (now: AlarmTrack) => passTime(alarm, now, second * 1_000)]) {
      const next = step(track);
      track = next.track;
      if (next.event) told.push(`${next.event} ${second}`);
    }
  }
  return told;
}

test.each([
  ['raised when it has held long enough, without another reading', {}, [[0, 31]], ['raised 10']],
  [
    'not raised when it did not last',
    {},
    [
      [0, 31],
      [9, 29],
    ],
    [],
  ],
  [
    'the time begins anew after a break',
    {},
    [
      [0, 31],
      [5, 30],
      [6, 31],
    ],
    ['raised 16'],
  ],
  [
    'over only below the hysteresis',
    {},
    [
      [0, 31],
      [12, 29],
      [13, 27.9],
    ],
    ['raised 10', 'cleared 13'],
  ],
  ['at once without a time', { forS: 0 }, [[3, 31]], ['raised 3']],
  [
    'below',
    { when: 'below', limit: 5, forS: 0 },
    [
      [0, 4.9],
      [1, 6.9],
      [2, 7],
    ],
    ['raised 0', 'cleared 2'],
  ],
  [
    'equals',
    { when: 'equals', limit: 1, forS: 0 },
    [
      [0, 1],
      [1, 0],
    ],
    ['raised 0', 'cleared 1'],
  ],
  [
    'a missing value does not clear a limit',
    { forS: 0 },
    [
      [0, 31],
      [1, null],
      [2, 20],
    ],
    ['raised 0', 'cleared 2'],
  ],
  [
    'a missing value interrupts what has not been raised',
    {},
    [
      [0, 31],
      [5, null],
      [6, 31],
    ],
    ['raised 16'],
  ],
  [
    'missing',
    { when: 'missing', forS: 5 },
    [
      [0, null],
      [8, 1],
    ],
    ['raised 5', 'cleared 8'],
  ],
] as const)('%s', (_what, over, readings, told) => {
  expect(play(rule(over as Partial<AlarmRule>), readings, 30)).toEqual(told);
});
