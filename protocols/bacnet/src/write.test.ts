import type { Connection, Driver, PointRef, WriteOrder } from '@parkline/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BacnetBench, benchKey, startBacnetBench } from '../../../tests/support/bacnet.ts';
import { createUdpRelay } from '../../../tests/support/udp-relay.ts';
import { commandFromElsewhere, connectionTo, gauge, never } from './testing.ts';

let bench: BacnetBench;
let connection: Connection;
let driver: Driver;

beforeEach(async () => {
  const objects = { 'AI-1': 20, 'AO-1': 30, 'AV-1': 18, 'AV-2': 5, 'BO-1': 0, 'BV-1': 1 };
  bench = await startBacnetBench([{ instance: 5, objects, access: { 'AV-2': 'writable' } }]);
  connection = connectionTo(bench.place, { timeoutMs: 1_000 });
  driver = connection.device({ device: 5 });
});
afterEach(async () => {
  await connection.close();
  await bench.stop();
});

const write = (address: string, value: number | null, more: Partial<WriteOrder> & Partial<PointRef> = {}) => {
  const { priority = 8, scale = 1, offset = 0 } = more;
  return driver.write!({ ref: { ...gauge(address, scale), offset }, value, priority }, never());
};
const read = async (address: string) => (await driver.read([gauge(address)], never()))[0];
const writes = () => bench.told.filter(({ op }) => op === 'write').map(({ values }) => values);

test('a commandable object takes a value at its priority, shows it, and gives it back', async () => {
  const before = Date.now();
  const written = await write('analog-output,1', 62.5);
  expect(written).toEqual({ state: 'done', at: expect.any(Number) as number, readBack: 62.5 });
  expect(written.at).toBeGreaterThanOrEqual(before);
  expect([
    (await read('analog-output,1'))?.value,
    (await read('analog-output,1,priority-array,8'))?.value,
  ]).toEqual([62.5, 62.5]);
  bench.show(5, 'AO-1', 31);
  expect((await read('analog-output,1'))?.value).toBe(62.5);
  expect(await write('analog-output,1', null)).toMatchObject({ state: 'done', readBack: 31 });
  expect((await read('analog-output,1,priority-array,8'))?.why).toBe('no value');
});

test('each object is written in its own type', async () => {
  expect(await write('binary-output,1', 1)).toMatchObject({ state: 'done', readBack: 1 });
  expect(await write('binary-value,1', 0, { priority: 16 })).toMatchObject({ state: 'done', readBack: 0 });
  expect(await write('analog-value,1', -0.1)).toMatchObject({ state: 'done', readBack: -0.1 });
  expect(await write('analog-value,2', 21.4)).toMatchObject({ state: 'done', readBack: 21.4 });
});

test('engineering values go through scale and offset', async () => {
  expect(await write('analog-value,1', 70.7, { scale: 1.8, offset: 32 })).toMatchObject({
    state: 'done',
    readBack: 70.7,
  });
  expect((await read('analog-value,1'))?.value).toBe(21.5);
});

test('a higher priority in force is named, and so is what a relinquish leaves', async () => {
  await commandFromElsewhere(bench.place, { type: 1, instance: 1 }, { type: 4, value: 10 }, 5);
  expect(await write('analog-output,1', 62.5)).toMatchObject({
    state: 'overridden',
    readBack: 10,
    detail: 'priority 5 is in force',
  });
  expect(await write('analog-output,1', null)).toMatchObject({
    state: 'done',
    readBack: 10,
    detail: 'priority 5 is in force',
  });
});

test('a lower priority of ours beneath stays where it is', async () => {
  expect(await write('analog-output,1', 40, { priority: 16 })).toMatchObject({ state: 'done' });
  expect(await write('analog-output,1', 50, { priority: 10 })).toMatchObject({ state: 'done', readBack: 50 });
  expect(await write('analog-output,1', null, { priority: 10 })).toMatchObject({
    state: 'done',
    readBack: 40,
  });
});

test('what has no priority array cannot be relinquished, though the device would say yes', async () => {
  await expect(write('analog-value,2', null)).rejects.toMatchObject({
    code: 'config',
    message: expect.stringContaining('no priority array') as string,
  });
  expect(writes()).toEqual([]);
});

test.each([
  ['binary-output,1', 2, '2 is outside 0..1'],
  ['binary-output,1', 0.5, 'whole numbers'],
  ['analog-output,1', 16_777_217, 'would hold 16777216'],
  ['analog-output,1', 0.123456789, 'would hold 0.12345679'],
  ['analog-output,1', 1e39, 'beyond what a Real holds'],
  ['analog-output,1', NaN, 'is no number'],
  ['analog-output,1,object-name', 1, 'holds no number'],
])('%s does not take %d: %s', async (address, value, why) => {
  await expect(write(address, value)).rejects.toMatchObject({
    code: 'config',
    message: expect.stringContaining(why) as string,
  });
  expect(writes()).toEqual([]);
});

test.each([0, 1, 7, 17, 8.5])('priority %d is not ours', async (priority) => {
  await expect(write('analog-output,1', 1, { priority })).rejects.toMatchObject({ code: 'config' });
  expect(writes()).toEqual([]);
});

test('what the device does not let be written is refused in its words', async () => {
  await expect(write('analog-input,1', 1)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('write access denied') as string,
  });
  await expect(write('analog-output,9', 1)).rejects.toMatchObject({ code: 'refused' });
  await expect(write('analog-output,1,priority-array,0', 3)).rejects.toMatchObject({ code: 'refused' });
});

test('a device that says yes and shows something else differs', async () => {
  const relay = await createUdpRelay(bench.place);
  const other = connectionTo(relay.place, { timeoutMs: 1_000 });
  const behind = other.device({ device: 5 });
  await behind.connect(never());
  // The value on its way out of the device, changed: 62.5 reads as 62.25.
  relay.bend = (datagram) => {
    const at = datagram.indexOf(Buffer.from('44427a0000', 'hex'));
    if (at > 0) datagram.writeFloatBE(62.25, at + 1);
    return datagram;
  };
  const order = { ref: gauge('analog-value,2'), value: 62.5, priority: 8 };
  expect(await behind.write!(order, never())).toMatchObject({
    state: 'differs',
    readBack: 62.25,
    detail: 'it shows 62.25',
  });
  await other.close();
  await relay.stop();
});

test('a write that nobody answers is a time-out, and nobody else’s device is written', async () => {
  await driver.connect(never());
  bench.fault({ device: benchKey(5), fault: { kind: 'silence' } });
  await expect(write('analog-output,1', 1)).rejects.toMatchObject({ code: 'timeout' });
});

test('a device at the address of another is not written', async () => {
  const other = await startBacnetBench([{ instance: 6, objects: { 'AO-1': 1 } }]);
  const relays = await Promise.all([bench.place, other.place].map(createUdpRelay));
  const both = connectionTo(relays[0]!.place, { whoIs: relays.map(({ place }) => place), timeoutMs: 500 });
  const five = both.device({ device: 5 });
  await five.connect(never());
  relays[0]!.exchange(relays[1]!);
  const order = { ref: gauge('analog-output,1'), value: 77, priority: 8 };
  expect(await five.write!(order, never())).toMatchObject({ state: 'done', readBack: 77 });
  expect((await read('analog-output,1'))?.value).toBe(77);
  expect(other.told.filter(({ op }) => op === 'write')).toEqual([]);
  await both.close();
  await Promise.all([...relays, other].map((each) => each.stop()));
});
