import { expect, test } from 'vitest';
import { isWellFormed, readTag } from './tags.ts';

const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

test.each([
  ['nothing', ''],
  ['a real', '44 41 ab 33 33'],
  ['true and false', '11 10'],
  ['a property with its value', '29 55 4e 44 00 00 00 00 4f'],
  ['nested lists', '1e 2e 3e 3f 2f 1f'],
  ['a long string', `75 ff 00 00 01 00 ${'00'.repeat(256)}`],
  ['a length in two octets', `75 fe 01 00 ${'00'.repeat(256)}`],
  ['an extended tag number', 'f9 20 05'],
])('%s is well formed', (_what, hex) => {
  expect(isWellFormed(octets(hex))).toBe(true);
});

test.each([
  ['a value that runs past the end', '44 41 ab 33'],
  ['a length that runs past the end', '75 ff ff ff ff ff'],
  ['a length that is cut off', '75 fe 01'],
  ['a tag number that is cut off', 'f9'],
  ['what is opened and not closed', '4e 44 00 00 00 00'],
  ['what is closed and not opened', '4f'],
  ['what is closed as another', '4e 5f'],
  ['a real of 3 octets', '43 00 00 00'],
  ['an unsigned without octets', '20'],
  ['an unsigned of 7 octets', '25 07 00 00 00 00 00 00 00'],
  ['an object identifier of 2 octets', 'c2 00 00'],
  ['a third truth', '12'],
  ['an opening application tag', '46'],
  ['lists without end', '0e'.repeat(20) + '0f'.repeat(20)],
])('%s is not', (_what, hex) => {
  expect(isWellFormed(octets(hex))).toBe(false);
});

test('a tag gives its number, kind and content', () => {
  expect(readTag(octets('09 2a'), 0)).toEqual({ number: 0, kind: 'context', content: octets('2a'), end: 2 });
  expect(readTag(octets('f9 20 05'), 0)).toMatchObject({ number: 32, kind: 'context', end: 3 });
  expect(readTag(octets(''), 0)).toBeUndefined();
});
