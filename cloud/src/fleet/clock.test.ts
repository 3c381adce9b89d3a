import { describe, expect, test } from 'vitest';
import { agreedSkew, clockState, isFresh } from './clock.ts';

/** What the reports of a gateway come to: [seconds on its clock, ms that it was ahead on arrival]. */
function told(reports: readonly (readonly [atS: number, offMs: number])[]): number | undefined {
  let before: Parameters<typeof agreedSkew>[0];
  let skew: number | undefined;
  for (const [atS, offMs] of reports) {
    const report = { at: 1_000_000 + atS * 1_000, offMs };
    const agreed = agreedSkew(before, report);
    skew = agreed ?? skew;
    if (agreed !== undefined || isFresh(before, report)) before = report;
  }
  return skew;
}

describe('how far a clock is off', () => {
  test.each([
    ['one report alone', [[0, -90_000]], undefined],
    [
      'two that agree',
      [
        [0, -90_040],
        [10, -90_010],
      ],
      -90_010,
    ],
    [
      'a clock that is ahead',
      [
        [0, 3_000],
        [10, 2_950],
      ],
      3_000,
    ],
    [
      'two that waited in one queue',
      [
        [0, -90_000],
        [10, -80_000],
        [20, -70_000],
      ],
      undefined,
    ],
    [
      'two of one moment that waited',
      [
        [0, -90_000],
        [1, -90_000],
        [2, -90_000],
      ],
      undefined,
    ],
    [
      'a device that comes and goes between the reports',
      [
        [0, -90_000],
        [3, -90_000],
        [6, -90_000],
      ],
      -90_000,
    ],
    [
      'one late report among prompt ones',
      [
        [0, -5],
        [10, -70_000],
        [20, -5],
        [30, -6],
      ],
      -5,
    ],
    [
      'a clock that was set right',
      [
        [0, -90_000],
        [10, -90_000],
        [110, -5],
        [120, -6],
      ],
      -5,
    ],
    [
      'a clock that was set back',
      [
        [0, 5],
        [10, 5],
        [-80, -90_000],
        [-70, -90_000],
      ],
      -90_000,
    ],
  ] as const)('%s', (_what, reports, skew) => {
    expect(told(reports)).toBe(skew);
  });

  test.each([
    [0, 'good'],
    [2_000, 'good'],
    [-2_001, 'off'],
    [60_000, 'off'],
    [-60_001, 'held'],
  ] as const)('%d ms is %s', (skewMs, state) => {
    expect(clockState(skewMs)).toBe(state);
  });
});
