import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';

test.each([
  ['hr:3203:i64', { fc: 3, start: 3203, count: 4, type: 'i64', order: 'ABCD', bit: 0 }],
  ['hr:0:i32:CDAB', { fc: 3, start: 0, count: 2, type: 'i32', order: 'CDAB', bit: 0 }],
  ['ir:52:f32:DCBA', { fc: 4, start: 52, count: 2, type: 'f32', order: 'DCBA', bit: 0 }],
  ['ir:65535:u16:BADC', { fc: 4, start: 65535, count: 1, type: 'u16', order: 'BADC', bit: 0 }],
  ['hr:37:bit:15', { fc: 3, start: 37, count: 1, type: 'bit', order: 'ABCD', bit: 15 }],
  ['hr:37:bit:3:rmw', { fc: 3, start: 37, count: 1, type: 'bit', order: 'ABCD', bit: 3, mayRewrite: true }],
  ['ir:37:bits:4-7', { fc: 4, start: 37, count: 1, type: 'bits', order: 'ABCD', bit: 4, width: 4 }],
  [
    'hr:37:bits:0-15:rmw',
    { fc: 3, start: 37, count: 1, type: 'bits', order: 'ABCD', bit: 0, width: 16, mayRewrite: true },
  ],
  ['hr:100:str:8', { fc: 3, start: 100, count: 8, type: 'str', order: 'ABCD', bit: 0 }],
  ['ir:100:str:125:BADC', { fc: 4, start: 100, count: 125, type: 'str', order: 'BADC', bit: 0 }],
  ['co:5', { fc: 1, start: 5, count: 1, type: 'bit', order: 'ABCD', bit: 0 }],
  ['di:20:bit', { fc: 2, start: 20, count: 1, type: 'bit', order: 'ABCD', bit: 0 }],
] as const)('reads %s', (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});

test('a number that names no order has the device order', () => {
  expect(parseAddress('hr:0:u32', 'CDAB').order).toBe('CDAB');
  expect(parseAddress('hr:0:u32:ABCD', 'CDAB').order).toBe('ABCD');
});

test.each([
  ['', "'' is not one of hr, ir, co, di"],
  ['xr:1:u16', "'xr' is not one of hr"],
  ['toString:1:u16', "'toString' is not one of hr"],
  ['hr', "'' is not a register number"],
  ['hr:-1:u16', "'-1' is not a register number"],
  ['hr:0x10:u16', "'0x10' is not a register number"],
  ['hr:65536:u16', "'65536' is not a register number"],
  ['hr:1', "'' is not one of u16, i16"],
  ['hr:1:int', "'int' is not one of u16, i16"],
  ['hr:1:constructor', "'constructor' is not one of u16"],
  ['hr:65535:u32', 'u32 needs 2 registers and runs past 65535'],
  ['hr:1:u32:ACBD', "'ACBD' is not one of ABCD, CDAB"],
  ['hr:1:bit', "'' is not a bit number 0..15"],
  ['hr:1:bit:16', "'16' is not a bit number 0..15"],
  ['hr:1:bit:3:rwm', 'too many parts'],
  ['hr:1:bit:3:rmw:x', 'too many parts'],
  ['hr:1:bits:4', "'4' is not a range of bits 0-15, lowest first"],
  ['hr:1:bits:7-4', "'7-4' is not a range of bits 0-15, lowest first"],
  ['hr:1:bits:0-16', "'0-16' is not a range of bits"],
  ['hr:1:str', "'' is not a number of registers 1..125"],
  ['hr:1:str:0', "'0' is not a number of registers"],
  ['hr:1:str:126', "'126' is not a number of registers"],
  ['hr:65530:str:8', 'str needs 8 registers and runs past 65535'],
  ['co:1:u16', "a coil or contact is a bit, not 'u16'"],
  ['co:1:bit:3', 'a coil or contact has no bit number'],
  ['hr:1:u16:ABCD:x', 'too many parts'],
] as const)('refuses %s and says why', (text, why) => {
  expect(() => parseAddress(text)).toThrow(
    expect.objectContaining({ code: 'config', message: expect.stringContaining(why) as string }),
  );
});
