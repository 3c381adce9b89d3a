import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDevice } from './device.ts';
import { deviceFolder, parseDeviceTable, readDeviceTable } from './device-table.ts';
import { toWords } from './words.ts';

const table = (registers: string, head = 'holes: zero, longestRead: 125'): string =>
  `{ device: x, numbering: 1, area: holding, wordOrder: high-first, ${head}, registers: [${registers}] }`;
const row = '{ no: 11, as: UINT32, quantity: a, weight: 0.1 }';
const counter = '{ no: 21, as: UINT16, quantity: b, weight: 0.5, counter: true }';
const deviceOf = (text: string, values: Record<string, number>) =>
  createDevice(
    parseDeviceTable(text, 'x'),
    new Map(Object.entries(values).map(([key, value]) => [key, () => value])),
  );

describe('a device', () => {
  const device = deviceOf(table(`${row}, ${counter}`), { a: 230.14, b: 99.99 });

  test('shows gauges rounded to its weight and counters cut off, as words and as values', () => {
    expect(device.read('holding', 10, 11, 0)).toEqual({
      ok: true,
      words: [0, 2301, 0, 0, 0, 0, 0, 0, 0, 0, 199],
      values: { a: 230.1, b: 199 },
    });
  });

  test('tells no value of a number that is only half inside', () => {
    expect(device.read('holding', 11, 2, 0)).toEqual({ ok: true, words: [2301, 0], values: {} });
  });

  test.each([
    ['before its first register', 9, 2, 2],
    ['past its last', 20, 2, 2],
    ['of none', 10, 0, 3],
    ['longer than it answers', 10, 126, 3],
  ] as const)('refuses a read %s', (_what, address, count, exception) => {
    expect(device.read('holding', address, count, 0)).toEqual({ ok: false, exception });
  });

  test('refuses an area it does not have, and unlisted registers when its model does', () => {
    expect(device.read('input', 10, 2, 0)).toEqual({ ok: false, exception: 2 });
    const strict = deviceOf(table(`${row}, ${counter}`, 'holes: refuse, longestRead: 125'), { a: 1, b: 1 });
    expect(strict.read('holding', 10, 3, 0)).toEqual({ ok: false, exception: 2 });
    expect(strict.read('holding', 10, 2, 0)).toMatchObject({ ok: true });
  });

  test('a counter rolls over where its format does', () => {
    expect(
      deviceOf(table(`${row}, ${counter}`), { a: 1, b: 32768.5 }).read('holding', 20, 1, 0),
    ).toMatchObject({ words: [1], values: { b: 1 } });
  });

  test('needs every quantity its model shows', () => {
    expect(() => deviceOf(table(row), {})).toThrow(
      'a: the meter’s model has no such quantity'.replace('’', "'"),
    );
  });
});

test.each([
  [
    'two rows on one register',
    `${row}, { no: 12, as: INT16, quantity: c, weight: 1 }`,
    'a and c share a register',
  ],
  ['an unknown format', '{ no: 1, as: FLOAT, quantity: c, weight: 1 }', 'c: no format FLOAT'],
  ['a place below zero', '{ no: 0, as: INT16, quantity: c, weight: 1 }', 'c: address -1'],
  ['no weight', '{ no: 1, as: INT16, quantity: c, weight: 0 }', 'c: weight 0'],
  ['an unknown area', '{ no: 1, as: INT16, quantity: c, weight: 1, area: flash }', 'c: no area flash'],
  [
    'an unknown order',
    '{ no: 1, as: INT32, quantity: c, weight: 1, wordOrder: odd }',
    'c: no word order odd',
  ],
] as const)('a table with %s is refused', (_what, registers, why) => {
  expect(() => parseDeviceTable(table(registers), 'x')).toThrow(why);
});

test('every device table of a Modbus device is sound', () => {
  const isModbus = (path: string): boolean =>
    /^registers:/m.test(readFileSync(join(deviceFolder, path), 'utf8'));
  const files = readdirSync(deviceFolder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.yaml') && isModbus(path),
  );
  expect(files.length).toBeGreaterThanOrEqual(9);
  for (const path of files)
    expect(readDeviceTable(path.slice(0, -'.yaml'.length)).rows.length).toBeGreaterThan(0);
});

test.each([
  [-2, 'INT16', 'high-first', [0xfffe]],
  [0x12345678, 'UINT32', 'low-first', [0x5678, 0x1234]],
  [0x12345678, 'UINT32', 'high-first-swapped', [0x3412, 0x7856]],
  [-1n, 'INT64', 'high-first', [0xffff, 0xffff, 0xffff, 0xffff]],
  [1n, 'UINT64', 'low-first', [1, 0, 0, 0]],
  [230.1, 'FLOAT32', 'high-first', [0x4366, 0x199a]],
  [Math.PI, 'FLOAT64', 'high-first', [0x4009, 0x21fb, 0x5444, 0x2d18]],
  [12345678, 'BCD32', 'high-first', [0x1234, 0x5678]],
] as const)('%s as %s %s', (value, format, order, words) => {
  expect(toWords(value, format, order)).toEqual(words);
});
