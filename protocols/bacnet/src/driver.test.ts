import { createSocket } from 'node:dgram';
import type { Connection, Found } from '@parkline/kit';
import { afterEach, expect, test } from 'vitest';
import {
  type BacnetBench,
  type BacnetBenchDevice,
  benchKey,
  startBacnetBench,
} from '../../../tests/support/bacnet.ts';
import { connectionTo, gauge, never } from './testing.ts';

let bench: BacnetBench;
let connection: Connection;
afterEach(async () => {
  await connection.close();
  await bench.stop();
});

async function start(devices: readonly BacnetBenchDevice[], params: object = {}): Promise<void> {
  bench = await startBacnetBench(devices);
  connection = connectionTo(bench.place, { timeoutMs: 1_000, ...params });
}

/** Objects AI-1, AI-2, ... showing values of their own. */
const manyObjects = (count: number, first = 0): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`AI-${n + 1}`, first + n + 0.5]));
const refsOf = (count: number) => Array.from({ length: count }, (_, n) => gauge(`analog-input,${n + 1}`));
const valuesOf = (count: number, first = 0) => Array.from({ length: count }, (_, n) => first + n + 0.5);
const requests = () => bench.told.filter(({ op }) => op === 'read');

async function collect(found: AsyncIterable<Found>): Promise<Found[]> {
  const all: Found[] = [];
  for await (const one of found) all.push(one);
  return all;
}

test.each([
  ['in a few requests where answers may be long', {}, 3],
  ['in shorter requests where they may not', { maxApdu: 206 }, 20],
  ['in halves where the device promised too much', { buffer: 400, segmentation: 'none' }, 20],
  ['singly where it knows no lists of properties', { multiple: false }, 300],
] as const)('a hundred points are read %s', async (_how, traits, most) => {
  await start([{ instance: 5, objects: manyObjects(100), traits }]);
  const driver = connection.device({ device: 5 });
  expect((await driver.read(refsOf(100), never())).map(({ value }) => value)).toEqual(valuesOf(100));
  expect(requests().length).toBeLessThanOrEqual(most);
  // What was learned is kept: the second round costs no refusals.
  const before = requests().length;
  await driver.read(refsOf(100), never());
  expect(requests().length - before).toBeLessThanOrEqual(before);
});

test('many objects are browsed in segments, with their names', async () => {
  await start([{ instance: 5, objects: { ...manyObjects(1_200), 'BO-1': 1 } }]);
  const found = await collect(connection.device({ device: 5 }).browse(never()));
  expect(found).toHaveLength(1_201);
  expect(found[41]).toEqual({
    address: 'analog-input,42',
    label: `${benchKey(5)}.AI-42`,
    writable: false,
    facts: { value: '41.5', unit: 'no-units' },
  });
  expect(found.at(-1)).toMatchObject({
    address: 'binary-output,1',
    label: `${benchKey(5)}.BO-1`,
    writable: true,
  });
});

test('a device that sends no segments gives its object list one by one', async () => {
  const traits = { segmentation: 'none', maxApdu: 206 } as const;
  await start([{ instance: 5, objects: manyObjects(60), traits }]);
  const found = await collect(connection.device({ device: 5 }).browse(never()));
  expect(found.map(({ address }) => address)).toEqual(refsOf(60).map(({ address }) => address));
});

test('object lists of two devices in segments at once never mix', async () => {
  await start([
    { instance: 5, objects: manyObjects(400), traits: { maxApdu: 480 } },
    { instance: 6, objects: manyObjects(500), traits: { maxApdu: 480 } },
  ]);
  const devices = [5, 6].map((device) => connection.device({ device }));
  for (let round = 0; round < 30; round += 1) {
    const lists = await Promise.all(devices.map((driver) => collect(driver.browse(never()))));
    expect(lists.map(({ length }) => length)).toEqual([400, 500]);
    for (const [n, list] of lists.entries())
      expect(list.every(({ label }) => label.startsWith(`${benchKey(5 + n)}.`))).toBe(true);
  }
});

test('values of many devices read at once never mix', async () => {
  const instances = [1, 2, 3, 4, 5, 6];
  await start(instances.map((instance) => ({ instance, objects: manyObjects(70, instance * 1_000) })));
  const devices = instances.map((device) => connection.device({ device }));
  for (let round = 0; round < 20; round += 1) {
    const all = await Promise.all(devices.map((driver) => driver.read(refsOf(70), never())));
    for (const [n, samples] of all.entries())
      expect(samples.map(({ value }) => value)).toEqual(valuesOf(70, instances[n]! * 1_000));
  }
});

test('a device that comes back at another address is found by its instance, within the same read', async () => {
  await start([
    { instance: 5, objects: { 'AI-1': 5 } },
    { instance: 6, objects: { 'AI-1': 6 } },
  ]);
  const [five, six] = [5, 6].map((device) => connection.device({ device }));
  for (let round = 0; round < 3; round += 1) {
    const read = (driver = five) => driver!.read([gauge('analog-input,1')], never());
    expect([(await read())[0]?.value, (await read(six))[0]?.value]).toEqual([5, 6]);
    await bench.unplug();
    await bench.plug();
  }
});

test('a late answer is nobody’s', async () => {
  await start([{ instance: 5, objects: { 'AI-1': 1 } }], { timeoutMs: 200, retries: 3 });
  const driver = connection.device({ device: 5 });
  await driver.connect(never());
  bench.fault({ times: 2, fault: { kind: 'delay', ms: 500 } });
  for (let value = 2; value < 40; value += 1) {
    bench.show(5, 'AI-1', value);
    const [sample] = await driver.read([gauge('analog-input,1')], never());
    expect(sample).toMatchObject({ value, quality: 'good' });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

test('a refusal names its reason, and a fault its cause', async () => {
  await start([{ instance: 5, objects: { 'AI-1': 1, 'AI-2': NaN, 'BI-1': NaN } }]);
  const driver = connection.device({ device: 5 });
  bench.fault({ device: benchKey(5), quantity: 'AI-1', fault: { kind: 'refuse' } });
  const refs = [
    ...['analog-input,1', 'analog-input,2', 'binary-input,1', 'analog-input,9', 'analog-input,2,colour'],
    ...['analog-input,2,reliability', 'binary-input,1,cov-increment', 'analog-input,2,object-name'],
  ].map((address) => gauge(address));
  const samples = await driver.read(refs, never());
  expect(samples.map(({ value, why }) => why ?? value)).toEqual([
    ...['read access denied', 'fault: unreliable', 'fault: unreliable', 'unknown object'],
    expect.stringContaining("'colour' is neither"),
    ...[7, 'unknown property', 'not a number'],
  ]);
});

test('no more requests are under way at once than allowed', async () => {
  const instances = [1, 2, 3, 4];
  await start(
    instances.map((instance) => ({ instance, objects: { 'AI-1': instance } })),
    { maxInFlight: 1, timeoutMs: 2_000 },
  );
  const devices = instances.map((device) => connection.device({ device }));
  await Promise.all(devices.map((driver) => driver.connect(never())));
  bench.fault({ fault: { kind: 'delay', ms: 80 } });
  const began = performance.now();
  await Promise.all(devices.map((driver) => driver.read([gauge('analog-input,1')], never())));
  expect(performance.now() - began).toBeGreaterThan(4 * 75);
});

test('a device that is left alone fails at once, its neighbour is read', async () => {
  await start([
    { instance: 5, objects: { 'AI-1': 5 } },
    { instance: 6, objects: { 'AI-1': 6 } },
  ]);
  const [five, six, nobody] = [5, 6, 7].map((device) => connection.device({ device }));
  bench.fault({ device: benchKey(5), fault: { kind: 'silence' } });
  const refs = [gauge('analog-input,1')];
  await expect(five!.read(refs, never())).rejects.toMatchObject({ code: 'timeout' });
  await expect(nobody!.connect(never())).rejects.toMatchObject({ code: 'lost' });
  const sent = requests().length;
  await expect(five!.read(refs, never())).rejects.toMatchObject({ code: 'timeout' });
  expect(requests().length).toBe(sent);
  expect((await six!.read(refs, never()))[0]?.value).toBe(6);
});

test('one instance is one device', async () => {
  await start([{ instance: 5, objects: { 'AI-1': 5 } }]);
  connection.device({ device: 5 });
  expect(() => connection.device({ device: 5 })).toThrow(expect.objectContaining({ code: 'config' }));
});

test('a port that is taken is said, and the devices are read when it is free', async () => {
  await start([{ instance: 5, objects: { 'AI-1': 5 } }]);
  const thief = createSocket('udp4');
  await new Promise<void>((resolve) => thief.bind(0, '127.0.0.1', resolve));
  const second = connectionTo(bench.place, { port: thief.address().port, timeoutMs: 100 });
  const device = second.device({ device: 5 });
  const read = () => device.read([gauge('analog-input,1')], never());
  await expect(read()).rejects.toMatchObject({
    code: 'lost',
    message: expect.stringMatching(/cannot bind.*EADDRINUSE.*name another/) as string,
  });
  thief.close();
  const value = () =>
    read().then(
      ([sample]) => sample?.value,
      () => undefined,
    );
  await expect.poll(value, { timeout: 20_000 }).toBe(5);
  await second.close();
}, 30_000);
