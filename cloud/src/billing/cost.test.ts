import { describe, expect, test } from 'vitest';
import { parseDecimal, type UseSpan } from '../metering/index.ts';
import { costOf } from './cost.ts';
import type { Rate } from './schedule.ts';

const QUARTER = 900_000;
const rate = (band: string, price: string): Rate => ({ version: 'v1', band, price: parseDecimal(price)! });
const [cheap, dear] = [rate('valley', '0.6700'), rate('peak', '1.2345')];
/** Cheap in the first hour, dear after it. */
const priceAt = (start: number) => (start < 4 * QUARTER ? cheap : dear);
const span = (begins: number, ends: number, units: number): UseSpan => ({
  ...{ begins: begins * QUARTER, ends: ends * QUARTER },
  units: BigInt(units),
});

describe('costOf', () => {
  test('rounds half up once per price, not once per quarter hour', () => {
    // 1.50 kWh x 0.6700 = 1.005, which is 1.01 and not the 1.00 of binary fractions.
    expect(costOf([span(0, 1, 50), span(1, 2, 50), span(2, 3, 50)], 2, priceAt)).toBe(101n);
  });

  test('prices each quarter hour by where it starts', () => {
    // 2.00 x 0.67 + 3.00 x 1.2345 = 1.34 + 3.70
    expect(costOf([span(3, 4, 200), span(4, 5, 300)], 2, priceAt)).toBe(504n);
  });

  test('spreads a silence over the time that it lasted, parts of a quarter hour too', () => {
    // From half past the last cheap quarter: 0.5 of 2.5 quarters is cheap.
    expect(costOf([span(3.5, 6, 250)], 2, priceAt)).toBe(34n + 247n);
  });

  test('is unknown where there is no use, or no price for a part of it', () => {
    expect(costOf([], 2, priceAt)).toBeUndefined();
    const until = (start: number) => (start < 4 * QUARTER ? cheap : undefined);
    expect(costOf([span(3, 4, 1)], 2, until)).toBe(1n);
    expect(costOf([span(3, 4, 1), span(4, 5, 1)], 2, until)).toBeUndefined();
  });

  test('of no energy is nothing, and not unknown', () => {
    expect(costOf([span(0, 4, 0)], 2, priceAt)).toBe(0n);
  });
});
