import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lockOf, siteFault, standing } from './claim.ts';
import { diffLines } from './present.ts';

test('a comparison holds both texts, line by line', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', ' d'), { maxLength: 12 })
    .map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before, after);
      const side = (not: string) => lines.filter(({ how }) => how !== not).map((line) => line.text);
      expect(side('added')).toEqual(before === '' ? [] : before.replace(/\n$/, '').split('\n'));
      expect(side('removed')).toEqual(after === '' ? [] : after.replace(/\n$/, '').split('\n'));
    }),
  );
  expect(diffLines('a\nb\nc\n', 'a\nx\nc\n').map(({ how }) => how)).toEqual([
    'same',
    'removed',
    'added',
    'same',
  ]);
});

const at = new Date(1_000_000);
const before = (ms: number) => new Date(at.getTime() - ms);

test.each([
  [4, 0, undefined],
  [5, 0, 1],
  [8, 0, 8],
  [8, 9_000, undefined],
  [60, 0, 900],
])('after %i failures, the last %i ms ago, a code waits %s s', (failures, ago, seconds) => {
  expect(lockOf({ failures, failedAt: before(ago) }, at)).toBe(seconds);
});

test('a code stands until its last moment, unless it was taken back', () => {
  expect(standing({ expiresAt: before(-1), revokedAt: null }, at)).toBeUndefined();
  expect(standing({ expiresAt: at, revokedAt: null }, at)).toBe('expired');
  expect(standing({ expiresAt: before(-1), revokedAt: before(5) }, at)).toBe('revoked');
});

test('a gateway without a site may stand anywhere', () => {
  const code = { siteId: 'id', siteKey: 'harbour' };
  expect([undefined, 'id', 'harbour', 'mill'].map((named) => siteFault(code, named))).toEqual([
    ...[undefined, undefined, undefined, 'other_site'],
  ]);
});
