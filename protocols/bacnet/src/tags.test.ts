import { expect, test } from 'vitest';
import { createReader, OTHER, valuesIn } from './tags.ts';

const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const malformed = expect.objectContaining({ name: 'Malformed' }) as Error;

test.each([
  ['nothing', '', []],
  ['a real', '44 41 ab 33 33', [21.399999618530273]],
  ['a double', '55 08 3f b9 99 99 99 99 99 9a', [0.1]],
  ['true and false', '11 10', [true, false]],
  ['null', '00', [null]],
  ['unsigned', '21 07 22 01 00 24 ff ff ff ff', [7, 256, 4_294_967_295]],
  ['an unsigned of 7 octets', '25 07 1f ff ff ff ff ff ff', [Number.MAX_SAFE_INTEGER]],
  ['signed', '31 ff 32 80 00 34 7f ff ff ff', [-1, -32_768, 2_147_483_647]],
  ['an object identifier', 'c4 00 00 00 0f', [{ type: 0, instance: 15 }]],
  ['bits', '82 04 a0', [[true, false, true, false]]],
  ['a string', '75 04 00 41 c2 b0', ['A°']],
  ['a string in the code page of China', '75 07 01 03 a8 b1 b1 be a9', ['北京']],
  ['a string of two octets a letter', '75 05 04 53 17 4e ac', ['北京']],
  ['a length in two octets', `75 fe 01 00 00 ${'41'.repeat(255)}`, ['A'.repeat(255)]],
  ['a length in four octets', `75 ff 00 00 01 00 00 ${'41'.repeat(255)}`, ['A'.repeat(255)]],
])('%s is read', (_what, hex, values) => {
  expect(valuesIn(octets(hex)).map(({ value }) => value)).toEqual(values);
});

test.each([
  ['nested lists', '1e 2e 3e 3f 2f 1f'],
  ['a property with its value', '29 55'],
  ['an extended tag number', 'f9 20 05'],
])('%s are no primitive value', (_what, hex) => {
  expect(valuesIn(octets(hex))).toEqual([{ type: OTHER, value: null }]);
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
  ['an unsigned of 9 octets', '25 09 00 00 00 00 00 00 00 00 00'],
  ['an object identifier of 2 octets', 'c2 00 00'],
  ['bits without any', '80'],
  ['more unused bits than there are', '81 04'],
  ['a third truth', '12'],
  ['an opening application tag', '46'],
  ['lists without end', '0e'.repeat(20) + '0f'.repeat(20)],
])('%s is malformed', (_what, hex) => {
  expect(() => valuesIn(octets(hex))).toThrow(malformed);
});

test('what is enclosed is given without its tags, and what is another is refused', () => {
  const reader = createReader(octets('09 2a 3e 0e 21 05 0f 3f f9 20 05'));
  expect([reader.isContext(0), reader.isContext(1), reader.isAtEnd]).toEqual([true, false, false]);
  expect(() => reader.unsigned(1)).toThrow(malformed);
  expect(reader.unsigned(0)).toBe(42);
  expect(reader.enclosed(3)).toEqual(octets('0e 21 05 0f'));
  expect(reader.unsigned(32)).toBe(5);
  expect(() => reader.value()).toThrow(malformed);
  expect(reader.isAtEnd).toBe(true);
});
