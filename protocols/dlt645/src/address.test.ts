import { expect, test } from 'vitest';
import { decodeItem, parseAddress } from './address.ts';
import { itemOf, parseFormat, usualItems } from './items.ts';
import { bytes } from './testing.ts';

test.each([
  ['00010000', '00010000', 0, 4, 2, false],
  ['0001ff00/3', '0001FF00', 2, 4, 2, false],
  ['02010100', '02010100', 0, 2, 1, false],
  ['02020300', '02020300', 0, 3, 3, true],
  ['02030000', '02030000', 0, 3, 4, true],
  ['02060000', '02060000', 0, 2, 3, true],
  ['02800002', '02800002', 0, 2, 2, false],
  ['0280000A', '0280000A', 0, 4, 0, false],
  ['06010001:-XXXX.XX', '06010001', 0, 3, 2, true],
])('reads %s', (text, item, part, size, decimals, isSigned) => {
  expect(parseAddress(text)).toEqual({ item, part, as: { bytes: size, decimals, isSigned } });
});

test('reads a bit of a status word', () => {
  expect(parseAddress('04000503:bit4')).toEqual({ item: '04000503', part: 0, as: { bit: 4 } });
});

test.each([
  ['1', /8 hex digits/],
  ['0001000G', /8 hex digits/],
  ['00010000/0', /count from 1/],
  ['06010001', /say its format/],
  ['00010000:XX.X', /no format like/],
  ['00010000:99', /no format like/],
  ['04000503', /needs its bit/],
  ['04000503:bit16', /no format like/],
])('refuses %s', (text, why) => {
  expect(() => parseAddress(text)).toThrow(why);
});

test.each([
  ['78 56 34 12', '00010000', 123456.78],
  ['78 56 34 92', '00000000', -123456.78],
  ['00 00 00 80', '00000000', 0],
  ['01 22 02 22 03 22', '0201FF00/2', 220.2],
  ['25 51 80', '02020100', -5.125],
  ['10 00', '04000503:bit4', 1],
  ['10 00', '04000503:bit5', 0],
  ['00 80', '04000503:bit15', 1],
])('%s as %s is %d', (data, address, value) => {
  expect(decodeItem(bytes(data), parseAddress(address))).toEqual({ ok: true, value });
});

test.each([
  ['no digits', 'AB 56 34 12', '00010000', /not BCD/],
  ['what a meter shows that has no value', 'FF FF FF FF', '00010000', /no value/],
  ['too little', '78 56 34', '00010000', /3 bytes/],
  ['too much', '78 56 34 12 00', '00010000', /5 bytes/],
  ['a number that the block does not have', '01 22 02 22', '0201FF00/3', /do not hold number 3/],
])('refuses %s', (_what, data, address, why) => {
  const raw = decodeItem(bytes(data), parseAddress(address));
  expect(raw.ok ? '' : raw.why).toMatch(why);
});

test('the highest bit is a digit where the format has no sign', () => {
  expect(decodeItem(bytes('00 00 00 92'), parseAddress('00010000'))).toEqual({ ok: true, value: 920_000 });
});

test('every usual item is in the tables, and every format of the tables fills whole bytes', () => {
  for (const id of usualItems) {
    const item = itemOf(id);
    expect([id, item?.name]).not.toEqual([id, undefined]);
    expect([id, item?.format === 'bits' || parseFormat(item!.format) !== undefined]).toEqual([id, true]);
  }
});

test.each([
  ['00010200', 'forward active energy, rate 2', 'kWh'],
  ['00010001', 'forward active energy, 1 settlement days ago', 'kWh'],
  ['0001FF00', 'forward active energy, total and rates', 'kWh'],
  ['02010200', 'voltage, phase B', 'V'],
  ['0203FF00', 'active power, all', 'kW'],
])('%s is %s', (id, name, unit) => {
  expect(itemOf(id)).toMatchObject({ name, unit });
});

test('any number a format can hold comes back as it was sent', () => {
  let seed = 645;
  const below = (limit: number): number => (seed = (seed * 48_271) % 2_147_483_647) % limit;
  for (let n = 0; n < 2_000; n += 1) {
    const decimals = below(5);
    const count = below(100_000_000);
    const digits = String(count).padStart(8, '0');
    const data = Uint8Array.from(Buffer.from(digits, 'hex')).reverse();
    const form = `${'X'.repeat(8 - decimals)}${decimals > 0 ? '.' : ''}${'X'.repeat(decimals)}`;
    const raw = decodeItem(data, parseAddress(`06000000:${form}`));
    expect(raw).toEqual({ ok: true, value: Number(`${count}e-${decimals}`) });
  }
});
