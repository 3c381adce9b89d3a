import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Sample } from '@parkline/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type MeterBench, startMeters } from '../../../tests/support/meters.ts';
import { driver as module } from './index.ts';
import { bytes, connectionTo, gauge, never, quietLog } from './testing.ts';

const first = '000000012345';
const second = '000000012346';
const voltage = gauge('02010100');

describe('meters on a line', () => {
  let meters: MeterBench;
  let connection: ReturnType<typeof connectionTo>;
  beforeEach(async () => {
    meters = await startMeters('dlt645', [
      { key: 'first', address: first, table: 'test-bench/dlt645' },
      { key: 'second', address: second, table: 'test-bench/dlt645' },
    ]);
    connection = connectionTo({ transport: 'tcp', host: '127.0.0.1', port: meters.port });
  });
  afterEach(async () => {
    await connection.close();
    await meters.stop();
  });

  test('a data block longer than a telegram comes in parts and is put together', async () => {
    const refs = [gauge('0201FF00/1'), gauge('0201FF00/2'), gauge('0201FF00/3')];
    const samples = await connection.device({ address: first }).read(refs, never());
    expect(samples.map(({ value }) => value)).toEqual([220.1, 221.2, 222.3]);
    expect(meters.served).toHaveLength(2); // Six bytes in telegrams of five: one question and one for the rest.
  });

  test('an answer in the name of another meter is not believed', async () => {
    meters.fault({ device: 'first', fault: { kind: 'wrong-unit', unit: 12_346 } });
    await expect(connection.device({ address: first }).read([voltage], never())).rejects.toMatchObject({
      code: 'timeout',
    });
    const [other] = await connection.device({ address: second }).read([voltage], never());
    expect(other).toMatchObject({ value: 220.1, quality: 'good' });
  });

  test('noise in place of an answer is a time-out, and the next question is answered', async () => {
    meters.fault({ device: 'first', times: 1, fault: { kind: 'garbage' } });
    const device = connection.device({ address: first });
    await expect(device.read([voltage], never())).rejects.toMatchObject({ code: 'timeout' });
    await expect
      .poll(() => device.read([voltage], never()).catch(() => []), { timeout: 4_000 })
      .toMatchObject([{ value: 220.1 }]);
  });

  test('after a time-out the meter answers another question first, one it is known to have', async () => {
    const device = connection.device({ address: first });
    await device.read([voltage, gauge('02800002')], never());
    meters.fault({ device: 'first', times: 1, fault: { kind: 'silence' } });
    await expect(device.read([voltage], never())).rejects.toMatchObject({ code: 'timeout' });
    const before = meters.served.length;
    await expect
      .poll(() => device.read([voltage], never()).catch(() => []), { timeout: 4_000 })
      .toMatchObject([{ value: 220.1 }]);
    expect(meters.served.slice(before).map(({ values }) => Object.keys(values))).toEqual([
      ['frequency'],
      ['voltage_a'],
    ]);
  });

  test('a dead meter costs the others less than a time-out a round', async () => {
    meters.fault({ device: 'first', fault: { kind: 'silence' } });
    const [dead, live] = [connection.device({ address: first }), connection.device({ address: second })];
    await dead.read([voltage], never()).catch(() => undefined);
    const began = Date.now();
    for (let round = 0; round < 20; round += 1) {
      const failing = dead.read([voltage], never()).catch(() => undefined);
      expect(await live.read([voltage], never())).toMatchObject([{ value: 220.1 }]);
      await failing;
    }
    const asked = meters.served.filter((entry) => 'device' in entry && entry.device === 'first').length;
    expect(asked).toBeLessThan(6); // At once, and then after 2, 4, 8 ... time-outs of 300 ms.
    expect(Date.now() - began).toBeLessThan(20 * 300);
  });

  test('browse shows what the meter has, with values', async () => {
    const found = [];
    for await (const each of connection.device({ address: first }).browse(never())) found.push(each);
    expect(found.map(({ address }) => address)).toEqual([
      ...['00010000', '02010100', '02010200', '02010300', '02020100', '02030000', '02060000', '02800002'],
    ]);
    expect(found[1]).toEqual({
      ...{ address: '02010100', label: 'voltage, phase A', writable: false },
      facts: { value: '220.1', unit: 'V' },
    });
  });

  test('a search of a range finds the meters in it', async () => {
    const found = [];
    for await (const each of connection.discover!({ from: 12_345, to: 12_347 }, never()))
      found.push(each.params);
    expect(found).toEqual([{ address: first }, { address: second }]);
  });

  test('several meters cannot answer the wildcard at once; one can', async () => {
    const search = async (): Promise<unknown[]> => {
      const found = [];
      for await (const each of connection.discover!({}, never())) found.push(each.params);
      return found;
    };
    expect(await search()).toEqual([]);
    const lone = await startMeters('dlt645', [{ key: 'x', address: first, table: 'test-bench/dlt645' }]);
    await connection.close();
    connection = connectionTo({ transport: 'tcp', host: '127.0.0.1', port: lone.port });
    expect(await search()).toEqual([{ address: first }]);
    await lone.stop();
  });
});

/** Answers the n-th telegram to it with the energy n.00 kWh, always later than anyone waits: every answer meets a later question. */
function startLateMeter(lateMs: number): Promise<{ server: Server; port: number; asked(): number }> {
  let asked = 0;
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (heard) => {
      asked += 1;
      const id = heard.subarray(-6, -2); // As it came, with its 33H.
      const energy = [0x33, 0x33 + (asked % 10) + 16 * Math.floor((asked / 10) % 10), 0x33, 0x33];
      const body = [...bytes('68 45 23 01 00 00 00 68 91 08'), ...id, ...energy.map((byte) => byte & 0xff)];
      const sum = body.reduce((total, byte) => total + byte, 0) % 256;
      setTimeout(() => socket.destroyed || socket.write(Uint8Array.from([...body, sum, 0x16])), lateMs);
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve({ server, port: (server.address() as AddressInfo).port, asked: () => asked }),
    );
  });
}

test.each([
  [130, 0],
  [260, 0],
  [130, 3_600_000],
])(
  'a meter that answers %d ms late for ever is never believed (clock set by %d ms)',
  async (lateMs, jumpMs) => {
    const late = await startLateMeter(lateMs);
    let ahead = 0;
    const connection = module.openConnection(
      { transport: 'tcp', host: '127.0.0.1', port: late.port, timeoutMs: 50, quietMs: 5 },
      { now: () => Date.now() + ahead, log: quietLog, dataDir: '' },
    );
    const device = connection.device({ address: first });
    const energy = gauge('00010000');
    const began = Date.now();
    const isDone = (): boolean => late.asked() > 2 && Date.now() > began + 1_000;
    const told: Sample[] = [];
    while (!isDone() && Date.now() < began + 15_000) {
      const samples = await device.read([energy], never()).catch(() => []);
      // A busy process may come to an answer to this very question at the same moment as to the time-out.
      told.push(...samples.filter(({ value }) => value !== late.asked()));
      ahead += jumpMs;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(told).toEqual([]);
    expect(late.asked()).toBeGreaterThan(2);
    await connection.close();
    late.server.close();
  },
);

test.each([
  [{ transport: 'tcp', host: 'x' }, /port/],
  [{ transport: 'tcp', host: 'x', port: 5, baudRate: 2_400 }, /baudRate/],
  [{ transport: 'serial' }, /path/],
  [{ transport: 'serial', path: '/dev/x', parity: 'mark' }, /parity/],
  [{ transport: 'udp' }, /transport/],
  [undefined, /params/],
])('refuses the connection %j', (params, why) => {
  const open = (): unknown => module.openConnection(params, { now: Date.now, log: quietLog, dataDir: '' });
  expect(open).toThrow(why);
});

test.each([[{}], [{ address: '12345' }], [{ address: 'AAAAAAAAAAAA' }], [{ address: first, unit: 1 }]])(
  'refuses the device %j',
  (params) => {
    const connection = connectionTo({ transport: 'tcp', host: '127.0.0.1', port: 1 });
    expect(() => connection.device(params)).toThrow(/address|unit/);
  },
);

test('a wrong address is bad with the reason, without a question', async () => {
  const connection = connectionTo({ transport: 'tcp', host: '127.0.0.1', port: 1 });
  const [sample] = await connection.device({ address: first }).read([gauge('energy')], never());
  expect(sample).toMatchObject({ quality: 'bad', value: null });
  expect(sample?.why).toMatch(/8 hex digits/);
});
