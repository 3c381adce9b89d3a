import { describe, expect, test } from 'vitest';
import { judge, type Memory, type View } from './judge.ts';
import type {
  ClockRule,
  ComparisonRule,
  FillingRule,
  FrozenRule,
  StepBackRule,
  ThresholdRule,
} from './rule-schema.ts';

const text = { en: 'x', zh: '某' };
const words = { title: text, advice: text, detail: text };
const common = { key: 'r', for: 10, clearFor: 10, severity: 'warning', skill: 'hvac', ...words } as const;
const base = { ...common, equipment: ['ahu'] };
const limit = { value: 4, unit: 'K', min: 1, max: 15 } as const;
const settings = { limit: 4, forMs: 600_000 };

/** Readings by key, all of one moment; a key that is missing has no evidence. */
const view = (values: Readonly<Record<string, number>>, over: Partial<View> = {}): View => ({
  reading: (key) => (key in values ? { value: values[key]!, at: 0, staleAfterMs: 360_000 } : undefined),
  memory: undefined,
  peers: () => ({ count: 0, moved: 0 }),
  silence: 'unknown',
  outbox: undefined,
  clockOffMs: undefined,
  ...over,
});

describe('a threshold', () => {
  const above: ThresholdRule = {
    ...base,
    kind: 'threshold',
    point: 'x',
    side: 'above',
    limit,
    hysteresis: 1,
  };
  const below: ThresholdRule = { ...above, side: 'below' };
  const exact: ThresholdRule = { ...base, kind: 'threshold', point: 'x', equals: 1 };
  const guarded: ThresholdRule = {
    ...exact,
    while: [
      { point: 'on', equals: 1 },
      { point: 'speed', within: 0.05 },
    ],
  };
  test.each([
    ['above it', above, { x: 4.1 }, false, 'holds'],
    ['at it', above, { x: 4 }, false, 'not'],
    ['within the hysteresis, not open', above, { x: 3.5 }, false, 'not'],
    ['within the hysteresis, open', above, { x: 3.5 }, true, 'holds'],
    ['out of the hysteresis, open', above, { x: 3 }, true, 'not'],
    ['below it', below, { x: 3.9 }, false, 'holds'],
    ['back over it by less than the hysteresis', below, { x: 4.9 }, true, 'holds'],
    ['back over it', below, { x: 5 }, true, 'not'],
    ['no evidence', above, {}, true, 'unknown'],
    ['the very value', exact, { x: 1 }, false, 'holds'],
    ['another value', exact, { x: 0 }, true, 'not'],
    ['all guards hold', guarded, { x: 1, on: 1, speed: -0.02 }, false, 'holds'],
    ['one guard fails', guarded, { x: 1, on: 1, speed: 1.5 }, true, 'not'],
    ['one guard fails, another is unknown', guarded, { x: 1, speed: 1.5 }, true, 'not'],
    ['a guard is unknown', guarded, { x: 1, on: 1 }, false, 'unknown'],
  ] as const)('%s', (_what, rule, values, isOpen, sure) => {
    expect(judge(rule, view(values), settings, isOpen).sure).toBe(sure);
  });
});

describe('a clock', () => {
  const rule: ClockRule = { ...common, kind: 'clock', limit: { value: 60, unit: 's', min: 2, max: 60 } };
  test.each([
    [60_000, 'not'],
    [60_001, 'holds'],
    [-60_001, 'holds'],
    [undefined, 'unknown'],
  ] as const)('off by %s ms', (clockOffMs, sure) => {
    expect(judge(rule, view({}, { clockOffMs }), { limit: 60, forMs: 0 }, false).sure).toBe(sure);
  });
});

describe('a filling outbox', () => {
  const rule: FillingRule = {
    ...common,
    ...{ kind: 'filling', limit: { value: 80, unit: '%', min: 10, max: 95 }, hysteresis: 10 },
  };
  test.each([
    [81, false, 'holds'],
    [80, false, 'not'],
    [71, true, 'holds'],
    [70, true, 'not'],
  ] as const)('%d %%, open: %s', (percent, isOpen, sure) => {
    const outbox = { percent, hoursLeft: 3.25 };
    const found = judge(rule, view({}, { outbox }), { limit: 80, forMs: 0 }, isOpen);
    expect(found).toEqual({
      sure,
      told: {
        fill: { value: percent, unit: '%', decimals: 0 },
        hoursLeft: { value: 3.25, unit: 'h', decimals: 1 },
      },
    });
  });

  test('of a gateway that does not say is unknown', () => {
    expect(judge(rule, view({}), { limit: 80, forMs: 0 }, true).sure).toBe('unknown');
  });
});

describe('a comparison', () => {
  const rule = (difference: ComparisonRule['difference']): ComparisonRule => ({
    ...{ ...base, kind: 'comparison', left: 'a', right: 'b', difference, limit, hysteresis: 1 },
  });
  test.each([
    ['above', { a: 20, b: 15 }, false, 'holds'],
    ['above', { a: 15, b: 20 }, false, 'not'],
    ['below', { a: 15, b: 20 }, false, 'holds'],
    ['either', { a: 15, b: 20 }, false, 'holds'],
    ['either', { a: 20, b: 15 }, false, 'holds'],
    ['either', { a: 20, b: 16.5 }, false, 'not'],
    ['either', { a: 20, b: 16.5 }, true, 'holds'],
    ['above', { a: 20 }, true, 'unknown'],
    ['above', { b: 20 }, true, 'unknown'],
  ] as const)('%s of %j, open: %s, %s', (difference, values, isOpen, sure) => {
    expect(judge(rule(difference), view(values), settings, isOpen).sure).toBe(sure);
  });
});

describe('a frozen value', () => {
  const rule: FrozenRule = { ...base, kind: 'frozen', point: 'x' };
  const min = 60_000;
  const look = (at: number, value: number, memory: Memory | undefined, count = 4, moved = 4) =>
    judge(
      rule,
      view(
        {},
        { reading: () => ({ value, at, staleAfterMs: 6 * min }), memory, peers: () => ({ count, moved }) },
      ),
      settings,
      false,
    );
  const since0 = { value: 22.4, since: 0, last: 9 * min };

  test.each([
    ['ten minutes the same, all others moved', look(10 * min, 22.4, since0), 'holds'],
    ['half of the others moved', look(10 * min, 22.4, since0, 4, 2), 'holds'],
    ['fewer moved: the surroundings are quiet', look(10 * min, 22.4, since0, 4, 1), 'not'],
    ['nine minutes', look(9 * min, 22.4, since0), 'not'],
    ['it moved in the last bit', look(10 * min, 22.400000000000002, since0), 'not'],
    ['it has no neighbours', look(10 * min, 22.4, since0, 0, 0), 'unknown'],
    ['it was never seen before', look(10 * min, 22.4, undefined), 'not'],
  ])('%s', (_what, found, sure) => expect(found.sure).toBe(sure));

  test('is counted between readings: silence after the last one adds nothing', () => {
    const [first, second] = [
      look(0, 22.4, undefined),
      look(5 * min, 22.4, { value: 22.4, since: 0, last: 0 }),
    ];
    expect([first.memory, second.memory]).toEqual([
      { value: 22.4, since: 0, last: 0 },
      { value: 22.4, since: 0, last: 5 * min },
    ]);
  });
});

describe('a frozen value after a silence', () => {
  const rule: FrozenRule = { ...base, kind: 'frozen', point: 'x' };
  const look = (at: number, isOpen = false, moved = 4) =>
    judge(
      rule,
      view(
        {},
        {
          reading: () => ({ value: 22.4, at, staleAfterMs: 6 * 60_000 }),
          memory: { value: 22.4, since: 0, last: 9 * 60_000 },
          peers: () => ({ count: 4, moved }),
        },
      ),
      settings,
      isOpen,
    );
  const [two, hour] = [2 * 3_600_000, 3_600_000];

  test('has stood as long as it had before: the silence proves nothing', () => {
    expect(look(two)).toEqual({
      sure: 'not',
      memory: { value: 22.4, since: two - 9 * 60_000, last: two },
    });
  });

  test('that is at fault already stays so', () => {
    expect(look(hour, true, 0).sure).toBe('holds');
  });
});

describe('a register', () => {
  const rule: StepBackRule = { ...common, kind: 'step-back', points: ['energy'] };
  const look = (value: number | undefined, before?: number) =>
    judge(
      rule,
      view(value === undefined ? {} : { energy: value }, {
        memory: before === undefined ? undefined : { value: before, since: 0, last: 0 },
      }),
      { limit: undefined, forMs: 0 },
      false,
    );
  test('that falls is told with both values, and the new one is what counts from then on', () => {
    expect(look(1, 5_000)).toMatchObject({
      ...{ sure: 'holds', told: { before: { value: 5_000 }, after: { value: 1 } }, memory: { value: 1 } },
    });
  });
  test.each([
    ['grows', look(5_001, 5_000), 'not'],
    ['stands', look(5_000, 5_000), 'not'],
    ['is seen for the first time', look(7), 'not'],
    ['is not seen', look(undefined, 5_000), 'unknown'],
  ])('that %s', (_what, found, sure) => expect(found.sure).toBe(sure));
});
