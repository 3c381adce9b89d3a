import { createServer, type AddressInfo } from 'node:net';
import type { Connection, Sample } from '@parkline/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type MeterBench, startMeters } from '../../../tests/support/meters.ts';
import { driver as module } from './index.ts';
import { bytes, connectionTo, gauge, never, quietLog } from './testing.ts';

const water = { type: '10', address: '00001234567890' };
const heat = { type: '20', address: '00001234567891' };
const volume = gauge('901F:volume');
const valve = { ...gauge('901F:valve'), kind: 'state' as const };

describe('meters on a line', () => {
  let meters: MeterBench;
  let connection: Connection;
  beforeEach(async () => {
    meters = await startMeters('cjt188', [
      { key: 'water', address: water.address, table: 'test-bench/cjt188-water' },
      { key: 'heat', address: heat.address, table: 'test-bench/cjt188-heat' },
    ]);
    connection = connectionTo({ transport: 'tcp', host: '127.0.0.1', port: meters.port });
  });
  afterEach(async () => {
    await connection.close();
    await meters.stop();
  });

  test('one telegram tells all points of a heat meter, in kWh, kW, m³ and m³/h whatever the meter’s units', async () => {
    const fields = [
      'energy_settled',
      'energy',
      'power',
      'flow',
      'volume',
      'supply_temperature',
      'work_hours',
    ];
    const refs = fields.map((field) => gauge(`901F:${field}`));
    const samples = await connection.device(heat).read(refs, never());
    expect(samples.map(({ value }) => value)).toEqual([10_000, 12_340, 5.5005, 0.8125, 98.76, 65.43, 8_760]);
    expect(meters.served).toHaveLength(1);
  });

  test('a valve is moved and looked at until it is there', async () => {
    const device = connection.device({ ...water, valveMs: 10_000 });
    expect(await device.write!({ ref: valve, value: 1 }, never())).toMatchObject({
      state: 'done',
      readBack: 1,
    });
    expect(await device.read([valve], never())).toMatchObject([{ value: 1, quality: 'good' }]);
    expect(await device.write!({ ref: valve, value: 0 }, never())).toMatchObject({
      state: 'done',
      readBack: 0,
    });
  });

  test('a valve that does not get there in time shows what it shows', async () => {
    const device = connection.device({ ...water, valveMs: 0 });
    expect(await device.write!({ ref: valve, value: 1 }, never())).toMatchObject({
      state: 'differs',
      readBack: 0,
    });
  });

  test.each([
    ['another point', volume, 1, 'config'],
    ['a value that is no end of a valve', valve, 2, 'config'],
    ['half a valve', valve, 0.5, 'config'],
    ['giving it back', valve, null, 'config'],
  ])('refuses to write %s, and sends nothing', async (_what, ref, value, code) => {
    await expect(connection.device(water).write!({ ref, value }, never())).rejects.toMatchObject({ code });
    expect(meters.served).toEqual([]);
  });

  test('a meter without a valve refuses', async () => {
    await expect(connection.device(heat).write!({ ref: valve, value: 1 }, never())).rejects.toMatchObject({
      code: 'refused',
    });
  });

  test('an answer in the name of another meter is not believed', async () => {
    meters.fault({ device: 'water', fault: { kind: 'wrong-unit', unit: 1_234_567_892 } });
    await expect(connection.device(water).read([volume], never())).rejects.toMatchObject({ code: 'timeout' });
    expect(await connection.device(heat).read([volume], never())).toMatchObject([{ value: 98.76 }]);
  });

  test('a refusal makes every point bad with the reason', async () => {
    meters.fault({ device: 'water', fault: { kind: 'refuse' } });
    const [sample] = await connection.device(water).read([volume], never());
    expect(sample).toMatchObject({ quality: 'bad', value: null });
    expect(sample?.why).toMatch(/refused/);
  });

  test('a search finds the one meter of a line, with all that is needed to read it', async () => {
    const lone = await startMeters('cjt188', [
      { key: 'h', address: heat.address, table: 'test-bench/cjt188-heat' },
    ]);
    const other = connectionTo({ transport: 'tcp', host: '127.0.0.1', port: lone.port });
    const found = [];
    for await (const each of other.discover!({}, never())) found.push(each.params);
    expect(found).toEqual([{ ...heat, idOrder: 'low-first' }]);
    expect(await other.device(found[0]).read([volume], never())).toMatchObject([{ value: 98.76 }]);
    await other.close();
    await lone.stop();
  });

  test('browse names every field, and that the valve may be written', async () => {
    const found = [];
    for await (const { address, writable } of connection.device(water).browse(never()))
      found.push([address, writable]);
    expect(found).toEqual([
      ['901F:volume', false],
      ['901F:volume_settled', false],
      ['901F:valve', true],
      ['901F:battery_low', false],
    ]);
  });
});

test('a meter that answers late for ever is never believed', async () => {
  let asked = 0;
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (heard) => {
      asked += 1;
      const data = [
        ...heard.subarray(-5, -2),
        ...bytes('00 01 00 00 2C 00 01 00 00 2C 31 01 22 11 05 15 20 00 00'),
      ];
      const body = [...bytes('68 10 90 78 56 34 12 00 00 81 16'), ...data];
      const sum = body.reduce((total, byte) => total + byte, 0) % 256;
      setTimeout(() => socket.destroyed || socket.write(Uint8Array.from([...body, sum, 0x16])), 300);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const open = (timeoutMs: number): Connection =>
    module.openConnection(
      { transport: 'tcp', host: '127.0.0.1', port, timeoutMs, quietMs: 5 },
      { now: Date.now, log: quietLog, dataDir: '' },
    );
  const [hasty, patient] = [open(50), open(5_000)];
  const device = hasty.device(water);
  const told: Sample[] = [];
  const began = Date.now();
  while ((asked < 3 || Date.now() < began + 800) && Date.now() < began + 15_000) {
    told.push(...(await device.read([volume], never()).catch(() => [])));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(told).toEqual([]);
  expect(asked).toBeGreaterThan(2);
  // The same meter is believed by who waits for it: it is late, not wrong.
  expect(await patient.device(water).read([volume], never())).toMatchObject([{ value: 1 }]);
  await Promise.all([hasty.close(), patient.close()]);
  server.close();
});

test.each([
  [{ type: '10', address: '123' }, /address/],
  [{ type: 'water', address: water.address }, /type/],
  [{ ...water, idOrder: 'middle' }, /idOrder/],
  [{ ...water, unit: 1 }, /unit/],
])('refuses the device %j', (params, why) => {
  const connection = connectionTo({ transport: 'tcp', host: '127.0.0.1', port: 1 });
  expect(() => connection.device(params)).toThrow(why);
});

test('an address that the kind of meter does not have is bad, and says what there is', async () => {
  const connection = connectionTo({ transport: 'tcp', host: '127.0.0.1', port: 1 });
  const [sample] = await connection.device(water).read([gauge('901F:energy')], never());
  expect(sample?.why).toMatch(/no '901F:energy' in a meter of type 10; there are 901F:volume/);
});
