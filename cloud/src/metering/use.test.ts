import { describe, expect, test } from 'vitest';
import { parseDecimal } from './decimal.ts';
import { coverage, cutUse, type Held, toUse, type UseSpan } from './use.ts';

const HOUR = 3_600_000;
const QUARTER = HOUR / 4;
const always: Held[] = [{ from: 0, to: 100 * HOUR }];
const span = (begins: number, ends: number, units: number): UseSpan => ({
  begins,
  ends,
  units: BigInt(units),
});
/** Quarter hours from `from`, each of so many units. */
const quarters = (from: number, ...units: number[]): UseSpan[] =>
  units.map((one, i) => span(from + i * QUARTER, from + (i + 1) * QUARTER, one));
const cut = (spans: readonly UseSpan[], edges: number[], held = always, now = 200 * HOUR) =>
  cutUse({ scale: 2, spans }, edges, held, now).map(({ at, to, units, quality }) => [at, to, units, quality]);

describe('toUse', () => {
  const counted = (counts: number, resolution: string, multiplier: string) => ({
    ...{ begins: 0, ends: QUARTER, counts, rolledOver: false },
    resolution: parseDecimal(resolution)!,
    multiplier: parseDecimal(multiplier)!,
  });

  test('counts at the worth of each meter, exactly, on one scale', () => {
    const { scale, spans } = toUse([counted(7, '0.01', '40.000000'), counted(3, '0.001', '1')]);
    expect([scale, spans.map(({ units }) => units)]).toEqual([3, [2_800n, 3n]]);
  });

  test('never has fewer than two digits, and nothing of nothing', () => {
    expect(toUse([counted(5, '1', '10')])).toEqual({ scale: 2, spans: [span(0, QUARTER, 5_000)] });
    expect(toUse([])).toEqual({ scale: 2, spans: [] });
  });
});

describe('a register that fell', () => {
  const one = { resolution: parseDecimal('0.01')!, multiplier: parseDecimal('1')!, rolledOver: false };
  /** Quarter hours of counts from 0 on, as the registers of one meter. */
  const used = (...counts: number[]) =>
    toUse(counts.map((each, i) => ({ ...one, begins: i * QUARTER, ends: (i + 1) * QUARTER, counts: each })));
  const shown = (...counts: number[]) =>
    used(...counts).spans.map(({ begins, ends, units }) => [begins / QUARTER, ends / QUARTER, units]);
  const day = (...counts: number[]) =>
    cutUse(used(...counts), [0, counts.length * QUARTER], always, 200 * HOUR)[0];

  test.each([
    [
      'too high once',
      [1, 9_000, -8_998, 2],
      [
        [0, 1, 1n],
        [1, 3, 2n],
        [3, 4, 2n],
      ],
    ],
    [
      'too high twice',
      [1, 9_000, 0, -8_998, 2],
      [
        [0, 1, 1n],
        [1, 4, 2n],
        [4, 5, 2n],
      ],
    ],
    [
      'too low once',
      [1, -9_000, 9_002, 2],
      [
        [0, 1, 1n],
        [1, 3, 2n],
        [3, 4, 2n],
      ],
    ],
    [
      'too low twice',
      [1, -9_000, 0, 9_002, 2],
      [
        [0, 1, 1n],
        [1, 4, 2n],
        [4, 5, 2n],
      ],
    ],
    [
      'too low among large use',
      [500, 500, -900, 1_400, 500],
      [
        [0, 1, 500n],
        [1, 2, 500n],
        [2, 4, 500n],
        [4, 5, 500n],
      ],
    ],
  ])('and showed a wild value, %s, keeps the sum', (_how, counts, spans) => {
    expect(shown(...counts)).toEqual(spans);
    const sum = counts.reduce((all, each) => all + each, 0);
    expect(day(...counts)).toMatchObject({ units: BigInt(sum), quality: 'good' });
  });

  test('and stays down leaves a hole: neither what fell nor the whole over it is use', () => {
    expect(shown(5, -3_000, 4, 1)).toEqual([
      [0, 1, 5n],
      [2, 3, 4n],
      [3, 4, 1n],
    ]);
    expect(day(5, -3_000, 4, 1)).toMatchObject({ units: null, quality: 'uncertain', spans: [] });
  });

  test('and is where it was only days later was exchanged, whatever the sum says', () => {
    const days = [...Array<number>(96 * 3).fill(10), -2_880, ...Array<number>(96 * 4).fill(10)];
    expect(day(...days)).toMatchObject({ units: null, quality: 'uncertain' });
    expect(used(...days).spans).toHaveLength(96 * 7);
  });

  test('after a silence tells nothing of either side', () => {
    const spans = [
      { ...one, begins: 0, ends: QUARTER, counts: 50 },
      { ...one, begins: 2 * QUARTER, ends: 3 * QUARTER, counts: -40 },
      { ...one, begins: 4 * QUARTER, ends: HOUR + QUARTER, counts: 50 },
    ];
    expect(toUse(spans).spans).toEqual([span(0, QUARTER, 50), span(4 * QUARTER, HOUR + QUARTER, 50)]);
  });

  test('and rolled over counts on, but is not certain', () => {
    const { scale, spans } = toUse([
      { ...one, begins: 0, ends: QUARTER, counts: 9, rolledOver: true },
      { ...one, begins: QUARTER, ends: 2 * QUARTER, counts: 3 },
    ]);
    const [bucket] = cutUse({ scale, spans }, [0, 2 * QUARTER], always, 200 * HOUR);
    expect(bucket).toMatchObject({ units: 12n, quality: 'uncertain' });
  });
});

describe('cutUse', () => {
  test('adds up what lies between two edges', () => {
    const spans = quarters(0, 1, 2, 3, 4, 5, 6, 7, 8);
    expect(cut(spans, [0, HOUR, 2 * HOUR])).toEqual([
      [0, HOUR, 10n, 'good'],
      [HOUR, 2 * HOUR, 26n, 'good'],
    ]);
    expect(cut(spans, [0, 2 * HOUR])).toEqual([[0, 2 * HOUR, 36n, 'good']]);
  });

  test('knows nothing of a bucket that a silence reaches out of, and all of one that holds it whole', () => {
    const spans = [
      ...quarters(0, 1, 1, 1),
      span(3 * QUARTER, 6 * QUARTER, 9),
      ...quarters(6 * QUARTER, 1, 1),
    ];
    expect(cut(spans, [0, HOUR, 2 * HOUR])).toEqual([
      [0, HOUR, null, 'uncertain'],
      [HOUR, 2 * HOUR, null, 'uncertain'],
    ]);
    expect(cut(spans, [0, 2 * HOUR])).toEqual([[0, 2 * HOUR, 14n, 'good']]);
  });

  test.each([
    ['at its start', quarters(QUARTER, 1, 1, 1)],
    ['in its middle', [...quarters(0, 1), ...quarters(2 * QUARTER, 1, 1)]],
    ['at its end', quarters(0, 1, 1, 1)],
    ['all through', []],
  ])('knows nothing of an hour without a register %s', (_where, spans) => {
    expect(cut(spans, [0, HOUR])).toEqual([[0, HOUR, null, 'uncertain']]);
  });

  test('a bucket ends where the lease does, and there is none outside', () => {
    const held = [
      { from: QUARTER, to: 2 * QUARTER },
      { from: 3 * QUARTER, to: HOUR },
    ];
    const spans = [...quarters(QUARTER, 7), ...quarters(3 * QUARTER, 9)];
    expect(cut(spans, [0, HOUR, 2 * HOUR], held)).toEqual([
      [QUARTER, 2 * QUARTER, 7n, 'good'],
      [3 * QUARTER, HOUR, 9n, 'good'],
    ]);
  });

  test('the bucket that runs ends at the last reading for now, and keeps its own end', () => {
    const now = HOUR + 40 * 60_000;
    const held = [{ from: 0, to: now }];
    const spans = [...quarters(0, 1, 1, 1, 1, 2, 2), span(HOUR + 2 * QUARTER, HOUR + 35 * 60_000, 1)];
    expect(cut(spans, [0, HOUR, 2 * HOUR], held, now)).toEqual([
      [0, HOUR, 4n, 'good'],
      [HOUR, 2 * HOUR, 5n, 'uncertain'],
    ]);
    const holed = [...quarters(0, 1, 1, 1, 1, 2), span(HOUR + 2 * QUARTER, HOUR + 35 * 60_000, 1)];
    expect(cut(holed, [0, HOUR, 2 * HOUR], held, now).at(-1)).toEqual([HOUR, 2 * HOUR, null, 'uncertain']);
    expect(cut(quarters(0, 1, 1), [0, HOUR, 2 * HOUR], held, now).at(-1)).toEqual([
      HOUR,
      2 * HOUR,
      null,
      'uncertain',
    ]);
  });
});

test('coverage counts the quarter hours that are known one by one', () => {
  const spans = [
    ...quarters(0, 1, 1),
    span(2 * QUARTER, 6 * QUARTER, 9),
    span(6 * QUARTER, 6 * QUARTER + 60_000, 1),
  ];
  expect(coverage({ scale: 2, spans }, [{ from: 0, to: 2 * HOUR }])).toEqual({
    knownMs: 2 * QUARTER + 60_000,
    heldMs: 2 * HOUR,
  });
  expect(coverage({ scale: 2, spans: [] }, [])).toEqual({ knownMs: 0, heldMs: 0 });
});
