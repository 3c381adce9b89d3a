import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createFaults } from '../faults.ts';
import { noLog } from '../request-log.ts';
import { readCjt188Table } from '../tables/cjt188-table.ts';
import { packDigits, readColumn, shownCount } from '../tables/digits.ts';
import { readDlt645Table } from '../tables/dlt645-table.ts';
import type { BusServer } from './bus-server.ts';
import { createCjt188Server } from './cjt188.ts';
import { createDlt645Server } from './dlt645.ts';

const open: BusServer[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((server) => server.close()))));

const faults = createFaults();
const shared = { bus: 'line', faults, log: noLog, now: () => Date.UTC(2026, 10, 22, 8, 30, 15), dataDir: '' };
const meter = <Table>(key: string, address: string, table: Table) => ({
  ...{ key, table, address: { address } },
  quantities: new Map([['active_energy_import', () => 1_206.429]]),
});

/** What comes back for a telegram, in hex as it came; '' when nothing does. */
async function exchange(server: BusServer, telegram: string, waitMs = 5_000): Promise<string> {
  open.push(server);
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect({ host: '127.0.0.1', port });
  const heard: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<undefined>();
  socket.on('data', (bytes) => {
    heard.push(bytes);
    if (bytes.at(-1) === 0x16) resolve(undefined);
  });
  socket.write(Buffer.from(telegram.replaceAll(' ', ''), 'hex'));
  await Promise.race([promise, new Promise((done) => setTimeout(done, waitMs))]);
  socket.destroy();
  return Buffer.concat(heard)
    .toString('hex')
    .toUpperCase()
    .replace(/(..)(?!$)/g, '$1 ');
}

const electricity = (): BusServer => {
  const table = readDlt645Table('three-phase-meter/generic-dlt645');
  return createDlt645Server({ ...shared, devices: [meter('m', '000102030425', table)] });
};

// DL/T 645-2007: the printed example of 1206.42 kWh, but for the wake-up bytes.
test('an electricity meter answers with its energy as the standard prints it', async () => {
  expect(await exchange(electricity(), 'FE FE 68 25 04 03 02 01 00 68 11 04 33 33 34 33 E1 16')).toBe(
    'FE FE 68 25 04 03 02 01 00 68 91 08 33 33 34 33 75 39 45 33 8B 16',
  );
});

test.each([
  ['a bad check sum', '68 25 04 03 02 01 00 68 11 04 33 33 34 33 E2 16', ''],
  ['another address', '68 26 04 03 02 01 00 68 11 04 33 33 34 33 E2 16', ''],
  [
    'an item it has not',
    '68 25 04 03 02 01 00 68 11 04 33 33 34 39 E7 16',
    'FE FE 68 25 04 03 02 01 00 68 D1 01 35 06 16',
  ],
  [
    'a write',
    '68 25 04 03 02 01 00 68 14 04 33 33 34 33 E4 16',
    'FE FE 68 25 04 03 02 01 00 68 D4 01 34 08 16',
  ],
  [
    'the wildcard',
    '68 AA AA AA AA AA AA 68 13 00 DF 16',
    'FE FE 68 25 04 03 02 01 00 68 93 06 58 37 36 35 34 33 F9 16',
  ],
])('an electricity meter and %s', async (_what, telegram, reply) => {
  expect(await exchange(electricity(), telegram, reply === '' ? 100 : undefined)).toBe(reply);
});

const water = (): BusServer =>
  createCjt188Server({
    ...shared,
    devices: [meter('w', '78330011223344', readCjt188Table('test-bench/cjt188-water'))],
  });

test('a water meter answers with its metering data, the identifier in the order it was asked', async () => {
  // 4321.09 m³, 123456.78 L, 2026-11-22 08:30:15, ST: open, battery low.
  const data = '09 21 43 00 2C 78 56 34 12 29 15 30 08 22 11 26 20 04 00';
  expect(await exchange(water(), '68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16')).toBe(
    `FE FE FE 68 10 44 33 22 11 00 33 78 81 16 1F 90 00 ${data} B3 16`,
  );
  expect(await exchange(water(), '68 10 44 33 22 11 00 33 78 01 03 90 1F 00 80 16')).toContain(
    `81 16 90 1F 00 ${data}`,
  );
});

test('a valve moves, and takes its time', async () => {
  let now = 1_000_000;
  const table = readCjt188Table('test-bench/cjt188-water');
  const make = (): BusServer =>
    createCjt188Server({ ...shared, now: () => now, devices: [meter('w', '78330011223344', table)] });
  const server = make();
  const ask = '68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16';
  const close = '68 10 44 33 22 11 00 33 78 04 04 A0 17 01 99 26 16';
  const status = (reply: string): string => reply.slice(-11, -6);
  expect(status(await exchange(server, close))).toBe('04 00');
  await server.close();
  expect(status(await exchange(server, ask))).toBe('04 00');
  await server.close();
  now += 300;
  expect(status(await exchange(server, ask))).toBe('05 00');
});

test('a fault strikes the meter it names', async () => {
  const id = faults.set({ bus: 'line', device: 'm', fault: { kind: 'refuse' } });
  expect(await exchange(electricity(), '68 25 04 03 02 01 00 68 11 04 33 33 34 33 E1 16')).toMatch(
    /68 D1 01 35/,
  );
  faults.clear({ id });
  const silent = faults.set({ bus: 'line', device: 'm', times: 1, fault: { kind: 'silence' } });
  expect(silent).toBeGreaterThan(id);
  expect(await exchange(electricity(), '68 25 04 03 02 01 00 68 11 04 33 33 34 33 E1 16', 100)).toBe('');
});

test('digits are packed lowest byte first; a minus is the highest bit; a counter rolls over', () => {
  expect(packDigits(12345678, 4).toString('hex')).toBe('78563412');
  expect(packDigits(-36042, 3).toString('hex')).toBe('426083');
  expect(shownCount(1_000_001.239, readColumn('XXXXXX.XX'), true)).toBe(123);
  expect(shownCount(49.987, readColumn('XX.XX'), false)).toBe(4_999);
  expect(() => readColumn('XX.X')).toThrow(/whole bytes/);
});

test('an address that is none is refused by its key', () => {
  const table = readDlt645Table('three-phase-meter/generic-dlt645');
  expect(() => createDlt645Server({ ...shared, devices: [meter('m', '12', table)] })).toThrow(
    /m: address.address/,
  );
});
