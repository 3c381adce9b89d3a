import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apportion } from './apportion.ts';

const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 12 });
const total = fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n });

describe('apportion', () => {
  test.each([
    ['an even split that comes out', 10n, [1n, 1n], [5n, 5n]],
    ['the cent left over goes to the largest remainder', 10n, [1n, 5n], [2n, 8n]],
    ['a tie goes to the earlier', 1n, [1n, 1n], [1n, 0n]],
    ['two left over of three equal', 5n, [1n, 1n, 1n], [2n, 2n, 1n]],
    ['a credit mirrors the charge', -5n, [1n, 1n, 1n], [-2n, -2n, -1n]],
    ['nothing over nothing', 0n, [0n, 0n], [0n, 0n]],
    ['no weight, no share', 7n, [0n, 3n], [0n, 7n]],
  ])('%s', (_why, sum, parts, expected) => {
    expect(apportion(sum, parts)).toEqual(expected);
  });

  test('refuses a split that would lose or invent something', () => {
    expect(() => apportion(1n, [0n, 0n])).toThrow(RangeError);
    expect(() => apportion(1n, [])).toThrow(RangeError);
    expect(() => apportion(1n, [2n, -1n])).toThrow(RangeError);
  });

  test('shares add up to the total, each within one unit of its due', () => {
    fc.assert(
      fc.property(total, weights, (sum, parts) => {
        const all = parts.reduce((acc, part) => acc + part, 0n);
        fc.pre(all > 0n);
        const shares = apportion(sum, parts);
        expect(shares.reduce((acc, share) => acc + share, 0n)).toBe(sum);
        shares.forEach((share, index) => {
          const off = share * all - sum * parts[index]!;
          expect((off < 0n ? -off : off) < all).toBe(true);
        });
      }),
    );
  });

  test('a credit takes back exactly what the charge gave', () => {
    fc.assert(
      fc.property(total, weights, (sum, parts) => {
        fc.pre(parts.some((part) => part > 0n));
        expect(apportion(-sum, parts)).toEqual(apportion(sum, parts).map((share) => -share));
      }),
    );
  });
});
