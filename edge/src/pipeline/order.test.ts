import type { Sample } from '@parkline/kit';
import { describe, expect, test } from 'vitest';
import { type Known, placeOf } from './order.ts';

const noon = Date.UTC(2026, 10, 22, 12, 5);
const SECOND = 1_000;
const HOUR = 3_600_000;

/** `at` and `beganAt` in ms after noon. */
const sample = (at: number, over: Partial<Sample> = {}): Sample => ({
  ...{ pointId: 'p', at: noon + at, beganAt: noon + at, value: 21, quality: 'good' },
  ...over,
});
const poll = (beganAt: number, at: number): Sample => sample(at, { beganAt: noon + beganAt });
const knows = (over: Partial<Known> = {}): Known => ({
  ...{ sent: undefined, pushed: undefined, pushedAt: -Infinity },
  ...over,
});
const at = (ms: number): number => noon + ms;

describe('a push', () => {
  const sent = sample(0, { value: 20 });
  test.each([
    ['of a point nothing is known of is news, however old', sample(-HOUR), knows(), 0, ['news', -HOUR]],
    ['later than what was sent is news at its own time', sample(5), knows({ sent }), 90, ['news', 5]],
    [
      'later than what was sent is news even when it comes late',
      sample(5),
      knows({ sent }),
      HOUR,
      ['news', 5],
    ],
    ['from the future happened when it arrived', sample(HOUR), knows({ sent }), 90, ['news', 90]],
    ['a moment too old is moved up', sample(-3 * SECOND), knows({ sent }), 90, ['news', 0]],
    ['of the same instant and another value is news', sample(0), knows({ sent }), 90, ['news', 0]],
    ['of the same instant and value is a repeat', sample(0, { value: 20 }), knows({ sent }), 90, ['repeat']],
    [
      'that tells an outage afterwards is late',
      sample(-60 * SECOND),
      knows({ sent }),
      90,
      ['late', -60 * SECOND],
    ],
    [
      'told once more after a reconnect is a repeat, whatever was polled since',
      sample(-60 * SECOND),
      knows({ sent, pushed: sample(-60 * SECOND), pushedAt: at(-60 * SECOND) }),
      90,
      ['repeat'],
    ],
    [
      'after the clock was set back is news of the new time',
      sample(-HOUR),
      knows({ sent }),
      90 - HOUR,
      ['news', -HOUR],
    ],
  ] as const)('%s', (_what, pushed, known, arrivedAt, [as, ms]) => {
    expect(placeOf(pushed, 'push', known, at(arrivedAt))).toEqual(
      ms === undefined ? { as } : { as, at: at(ms) },
    );
  });
});

describe('a poll', () => {
  const pushed = sample(50, { value: 20 });
  test.each([
    ['of a point that is never pushed is news', poll(0, 100), knows(), ['news', 100]],
    ['begun after the last push is news', poll(51, 100), knows({ pushed, pushedAt: at(50) }), ['news', 100]],
    [
      'that met a push on its way tells of before',
      poll(0, 100),
      knows({ pushed, pushedAt: at(50) }),
      ['late', 0],
    ],
    [
      'of the very millisecond of a push gives way to it',
      poll(50, 100),
      knows({ pushed, pushedAt: at(50) }),
      ['late', 50],
    ],
    [
      'is news when the push is from a clock that was set back since',
      poll(0, 100),
      knows({ pushed, pushedAt: at(HOUR) }),
      ['news', 100],
    ],
  ] as const)('%s', (_what, polled, known, [as, ms]) => {
    expect(placeOf(polled, 'poll', known, at(100))).toEqual({ as, at: at(ms) });
  });
});
