import { expect, test } from 'vitest';
import {
  echoRequest,
  maskRegister,
  readIdentification,
  readOf,
  reportServerId,
  type Request,
  writeCoil,
  writeCoils,
  writeRegister,
  writeRegisters,
} from './requests.ts';

const pdu = ({ fc, body }: Request): string => Buffer.of(fc, ...body).toString('hex');

// The examples of the Modbus application protocol, clauses 6.1 to 6.21.
test.each([
  ['read coils', readOf({ unit: 1, fc: 1, start: 0x13, count: 0x13 }), '0100130013'],
  ['read holding registers', readOf({ unit: 1, fc: 3, start: 0x6b, count: 3 }), '03006b0003'],
  ['write single coil', writeCoil(1, 0xac, true), '0500acff00'],
  ['write single register', writeRegister(1, 1, Uint8Array.of(0, 3)), '0600010003'],
  ['diagnostics, return query data', echoRequest(1, 0xa537), '080000a537'],
  [
    'write multiple coils',
    writeCoils(1, 0x13, [true, false, true, true, false, false, true, true, true, false]),
    '0f0013000a02cd01',
  ],
  ['write multiple registers', writeRegisters(1, 1, Uint8Array.of(0, 0x0a, 1, 2)), '100001000204000a0102'],
  ['report server id', reportServerId(1), '11'],
  ['mask write register', maskRegister(1, 4, 0xf2, 0x25), '16000400f20025'],
  ['read device identification', readIdentification(1, 1, 0), '2b0e0100'],
] as const)('%s as the specification shows it', (_what, request, expected) => {
  expect(pdu(request)).toBe(expected);
});

test.each([
  [
    '124 registers',
    () => writeRegisters(7, 0, new Uint8Array(248)),
    '124 registers from 0 on: one request writes 1..123',
  ],
  ['no register', () => writeRegisters(7, 0, new Uint8Array(0)), '0 registers'],
  ['registers past the last', () => writeRegisters(7, 65_535, new Uint8Array(4)), 'none past 65535'],
  ['1,969 coils', () => writeCoils(7, 0, new Array<boolean>(1_969).fill(true)), 'one request writes 1..1968'],
] as const)('%s are refused with the unit', (_what, make, why) => {
  expect(make).toThrow(expect.objectContaining({ code: 'config', where: 'modbus unit 7' }));
  expect(make).toThrow(why);
});

test('123 registers and 1,968 coils fit', () => {
  expect(writeRegisters(1, 0, new Uint8Array(246)).body).toHaveLength(251);
  expect(writeCoils(1, 0, new Array<boolean>(1_968).fill(true)).body).toHaveLength(251);
});
