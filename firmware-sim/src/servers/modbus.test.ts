import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDevice } from '../device.ts';
import { readDeviceTable } from '../device-table.ts';
import { parsePark } from '../park.ts';
import { CONTROL, type Ports } from '../ports.ts';
import { createRequestLog, type LogEntry, type RequestLog } from '../request-log.ts';
import { createSimulator, type Simulator } from '../simulator.ts';
import { crc16 } from './frames.ts';

const empty = parsePark('{ key: p, site: { timezone: UTC }, buildings: [] }', 'p');
const device = createDevice(readDeviceTable('test-bench/all-types'), new Map());
let folder: string;
let log: RequestLog;
let simulator: Simulator;
let ports: Ports;
const sockets: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sim-'));
  log = createRequestLog(join(folder, 'log'));
  const buses = [
    { key: 'net', transport: 'tcp' },
    { key: 'line', transport: 'rtu-over-tcp' },
  ] as const;
  const written = ['writable', 'plain'].map((name, at) => ({
    bus: 'net',
    unit: at + 2,
    device: createDevice(readDeviceTable(`test-bench/${name}`), new Map()),
  }));
  const extra = [...buses.map(({ key }) => ({ bus: key, unit: 1, device })), ...written];
  simulator = createSimulator({
    park: { ...empty, buses },
    seed: 1,
    log,
    now: () => 1_700_000_000_123,
    extra,
  });
  ports = await simulator.start();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await simulator.stop();
  log.close();
  rmSync(folder, { recursive: true });
});

const served = (): LogEntry[] =>
  readFileSync(join(folder, 'log'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LogEntry);

const QUIET_MS = 60;

/** Bytes that come back until the line is quiet, hex; 'closed' when the device hangs up. An answer may take its time. */
async function exchange(
  bus: string,
  frames: readonly string[],
  awaited: 'answer' | 'silence' = 'answer',
): Promise<string> {
  const socket = connect(ports[bus]!);
  sockets.push(socket);
  let got = '';
  socket.on('data', (bytes) => {
    got += bytes.toString('hex');
  });
  socket.on('error', () => undefined); // Refused: `close` follows.
  socket.on('close', () => {
    got = 'closed';
  });
  for (const frame of frames) {
    socket.write(Buffer.from(frame.replaceAll(' ', ''), 'hex'));
    await sleep(5);
  }
  if (awaited === 'answer') await expect.poll(() => got, { timeout: 10_000, interval: 5 }).not.toBe('');
  for (;;) {
    const before = got;
    await sleep(QUIET_MS);
    if (got === before) return got;
  }
}

const tcp = (pdu: string, unit = '01'): string =>
  `0007 0000 ${(pdu.length / 2 + 1).toString(16).padStart(4, '0')} ${unit} ${pdu}`;
function rtu(body: string): string {
  const check = Buffer.alloc(2);
  check.writeUInt16LE(crc16(Buffer.from(body, 'hex')));
  return body + check.toString('hex');
}

test.each([
  ['holding registers', '0300000002', '00070000000701' + '0304fffffffe'],
  ['input registers', '04000a0001', '00070000000501' + '0402001f'],
  ['coils', '0100050002', '00070000000401' + '010101'],
  ['contacts', '0200140001', '00070000000401' + '020101'],
  ['an unknown function', '2b0e', '00070000000301' + 'ab01'],
  ['a diagnosis with what it was asked', '08000012ab', '00070000000601' + '08000012ab'],
  ['a write, which it does not take', '0600000001', '00070000000301' + '8601'],
  ['an address it does not have', '0303e80001', '00070000000301' + '8302'],
  ['no register at all', '0300000000', '00070000000301' + '8303'],
  ['too many registers', '030000007e', '00070000000301' + '8303'],
  ['a request that is cut short', '0300', '00070000000301' + '8303'],
] as const)('answers %s', async (_what, pdu, reply) => {
  expect(await exchange('net', [tcp(pdu)])).toBe(reply);
});

describe('a device that takes writes', () => {
  const tables = { writable: 2, plain: 3 } as const;
  const pdus = async (unit: number, ...asked: readonly string[]): Promise<string[]> => {
    const replies: string[] = [];
    for (const pdu of asked)
      replies.push((await exchange('net', [tcp(pdu, unit.toString(16).padStart(2, '0'))])).slice(14));
    return replies;
  };

  test.each([
    ['a coil', ['0500030000', '050003ff00', '0100020003'], ['0500030000', '050003ff00', '010102']],
    ['a register', ['060005abcd', '0300050001'], ['060005abcd', '0302abcd']],
    ['coils', ['0f0000000a02cd01', '010000000a'], ['0f0000000a', '0102cd01']],
    ['registers', ['100001000204000a0102', '0300010002'], ['1000010002', '0304000a0102']],
    [
      'bits of a register',
      ['0600040012', '16000400f20025', '0300040001'],
      ['0600040012', '16000400f20025', '03020017'],
    ],
  ] as const)('writes %s and shows it from then on', async (_what, asked, replies) => {
    expect(await pdus(tables.writable, ...asked)).toEqual(replies);
  });

  test.each([
    ['a coil that is neither on nor off', '0500030001', '8503'],
    ['a register past its last', '0601f40001', '8602'],
    ['a count that is not that of the bytes', '100001000202000a', '9003'],
    ['no register at all', '100001000000', '9003'],
    ['a mask that is cut short', '16000400f2', '9603'],
    ['a level of identification there is none of', '2b0e0400', 'ab03'],
  ] as const)('refuses %s', async (_what, asked, reply) => {
    expect(await pdus(tables.writable, asked)).toEqual([reply]);
  });

  test('says what it is, and does not know what it lacks', async () => {
    const hex = (text: string): string =>
      Buffer.from(
        text.length.toString(16).padStart(2, '0') + Buffer.from(text).toString('hex'),
        'hex',
      ).toString('hex');
    expect(await pdus(tables.writable, '2b0e0100', '2b0e0203', '11')).toEqual([
      `2b0e0102000003` + `00${hex('Parkline')}01${hex('BENCH-1')}02${hex('1.4')}`,
      `2b0e0202000001` + `04${hex('Writable bench')}`,
      `1108${Buffer.from('BENCH-1').toString('hex')}ff`,
    ]);
    expect(
      await pdus(tables.plain, '0500000000', '0600000001', '16000000000000', '11', '1000000001020007'),
    ).toEqual(['8501', '8601', '9601', '9101', '1000000001']);
  });
});

test('behind a gateway an unknown unit is exception 0x0B, on a line it is silence', async () => {
  expect(await exchange('net', [tcp('0300000001', '09')])).toBe('000700000003' + '09830b');
  expect(await exchange('line', [rtu('090300000001')], 'silence')).toBe('');
  expect(await exchange('net', [tcp('0300000001', '00')], 'silence')).toBe('');
});

test('answers on a line with a check sum, and keeps silent at a wrong one', async () => {
  expect(await exchange('line', [rtu('010300000001')])).toBe(rtu('010302ffff'));
  expect(await exchange('line', ['010300000001ffff', rtu('010300000001')])).toBe(rtu('010302ffff'));
});

test('takes requests torn and merged', async () => {
  const request = tcp('0300000001').replaceAll(' ', '');
  expect(await exchange('net', [request.slice(0, 6), request.slice(6) + request])).toBe(
    '0007000000050103' + '02ffff' + '0007000000050103' + '02ffff',
  );
});

test('hangs up on what is no Modbus', async () => {
  expect(await exchange('net', ['0007 0001 0006 01 0300000001'])).toBe('closed');
});

test('the log has each request with what was shown, and at once', async () => {
  await exchange('net', [tcp('0300000003'), tcp('0303e80001')]);
  expect(served()).toEqual([
    {
      t: 1_700_000_000_123,
      bus: 'net',
      unit: 1,
      fc: 3,
      addr: 0,
      count: 3,
      values: { u16: 65535, i16: -2 },
      outcome: 'ok',
    },
    {
      t: 1_700_000_000_123,
      bus: 'net',
      unit: 1,
      fc: 3,
      addr: 1000,
      count: 1,
      values: {},
      outcome: 'exception 2',
    },
  ]);
});

test.each([
  [{ kind: 'silence' }, '', 'silence'],
  [{ kind: 'exception', code: 4 }, '00070000000301' + '8304', 'exception 4'],
  [{ kind: 'garbage', hex: 'c0ffee' }, 'c0ffee', 'garbage'],
  [{ kind: 'wrong-unit', unit: 5 }, '0007000000050503' + '02ffff', 'wrong-unit'],
  [{ kind: 'close' }, 'closed', 'close'],
  [{ kind: 'delay', ms: 20 }, '0007000000050103' + '02ffff', 'delay'],
  [{ kind: 'late', ms: 20 }, '0007000000050103' + '02ffff', 'late'],
] as const)('can be told to fail with %j', async (fault, reply, outcome) => {
  simulator.faults.set({ bus: 'net', unit: 1, times: 1, fault });
  const awaited = reply === '' ? 'silence' : 'answer';
  expect(await exchange('net', [tcp('0300000001')], awaited)).toBe(reply);
  expect(served().at(-1)?.outcome).toBe(outcome);
  expect(await exchange('net', [tcp('0300000001')])).toBe('0007000000050103' + '02ffff');
});

test('a fault may strike one range, one bus and one unit only, and be ended', async () => {
  const id = simulator.faults.set({ bus: 'net', unit: 1, addr: [20, 23], fault: { kind: 'silence' } });
  simulator.faults.set({ bus: 'line', fault: { kind: 'silence' } });
  simulator.faults.set({ bus: 'net', unit: 2, fault: { kind: 'silence' } });
  expect(await exchange('net', [tcp('0300000001')])).not.toBe('');
  expect(await exchange('net', [tcp('0300120004')], 'silence')).toBe('');
  expect([
    simulator.faults.clear({ id }),
    simulator.faults.clear({ bus: 'line' }),
    simulator.faults.clear(),
  ]).toEqual([1, 1, 1]);
  expect(await exchange('net', [tcp('0300120002')])).not.toBe('');
});

test('the control port takes faults and plugs, and says what it did not understand', async () => {
  const control = connect(ports[CONTROL]!);
  sockets.push(control);
  const replies = createInterface({ input: control })[Symbol.asyncIterator]();
  const say = async (command: string): Promise<unknown> => {
    control.write(`${command}\n`);
    return JSON.parse((await replies.next()).value as string);
  };
  expect(await say('{"do":"fault","bus":"net","fault":{"kind":"silence"}}')).toEqual({ ok: true, id: 1 });
  expect(await exchange('net', [tcp('0300000001')], 'silence')).toBe('');
  expect(await say('{"do":"clear"}')).toEqual({ ok: true, ended: 1 });
  expect(await say('{"do":"unplug","bus":"net"}')).toEqual({ ok: true });
  expect(await exchange('net', [tcp('0300000001')])).toBe('closed');
  expect(await say('{"do":"plug","bus":"net"}')).toEqual({ ok: true });
  expect(await exchange('net', [tcp('0300000001')])).not.toBe('');
  expect(await say('{"do":"plug","bus":"nowhere"}')).toMatchObject({
    ok: false,
    error: 'no bus nowhere; there are net, line',
  });
  expect(await say('{"do":"dance"}')).toMatchObject({ ok: false });
  expect(await say('nonsense')).toMatchObject({ ok: false });
});
