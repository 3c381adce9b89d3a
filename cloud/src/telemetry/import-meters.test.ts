import { expect, test } from 'vitest';
import { createHint } from './import-meters.ts';

const keys = ['b-main', 'a-t301', 'a-t302', 'a-t303', 'a-f1', 'a-hvac'];

test.each([
  ['A-T303', 'did you mean a-t303?'],
  [' a-t303 ', 'did you mean a-t303?'],
  ['a-t30', 'did you mean a-t301 or a-t302 or a-t303?'],
  ['bmain', 'did you mean b-main?'],
  ['x', 'known are a-f1, a-hvac, a-t301, a-t302, a-t303, ... (6 in all)'],
  ['Main incomer', 'known are a-f1, a-hvac, a-t301, a-t302, a-t303, ... (6 in all)'],
])('for %j', (unknown, hint) => {
  const hintOf = createHint(keys);
  expect([hintOf(unknown), hintOf(unknown)]).toEqual([hint, hint]);
});

test('where there are few meters, or none', () => {
  expect(createHint(['a'])('main')).toBe('known is a');
  expect(createHint([])('main')).toBe('no meter is known');
});
