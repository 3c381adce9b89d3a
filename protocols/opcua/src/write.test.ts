import type { Connection, Driver, PointRef } from '@parkline/kit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type CutLine, startCutLine } from '../../../tests/support/cut-line.ts';
import { type OpcuaBench, startOpcuaBench } from '../../../tests/support/opcua.ts';
import { connectionTo, gauge, never } from './testing.ts';

const PATIENCE = { timeout: 30_000, interval: 50 };
const plain = { weight: 1, digits: 3, writable: 'all' } as const;
const types = ['Boolean', 'SByte', 'Byte', 'Int16', 'UInt16', 'Int32', 'UInt32', 'Float', 'Double'] as const;
let bench: OpcuaBench;
let line: CutLine;
let connection: Connection;
let lift: Driver;

beforeAll(async () => {
  bench = await startOpcuaBench({
    devices: ['Lift1'],
    variables: [
      ...types.map((as) => ({ ...plain, name: `Any${as}`, as, quantity: as })),
      { ...plain, name: 'Limited', as: 'Int16', quantity: 'limited', moveInto: [10, 30] },
      { ...plain, name: 'Broken', as: 'Int16', quantity: 'broken' },
      { ...plain, name: 'Slow', as: 'Int16', quantity: 'slow' },
      { ...plain, name: 'Theirs', as: 'Int16', quantity: 'theirs', writable: 'others' },
      { name: 'Shown', as: 'Int16', quantity: 'shown', weight: 1, digits: 0 },
    ],
    value: () => 0,
  });
  line = await startCutLine(Number(new URL(bench.endpointUrl).port));
  connection = connectionTo(bench, { endpointUrl: `opc.tcp://127.0.0.1:${line.port}`, timeoutMs: 2_000 });
  lift = connection.device({ root: 'Lift1' });
}, 60_000);
afterAll(async () => {
  await connection.close();
  await line.close();
  await bench.stop();
});
afterEach(() => bench.clear());

const write = (ref: PointRef, value: number | null) => lift.write!({ ref, value }, never());
const written = () => bench.told.filter(({ op }) => op === 'write').map(({ values }) => values);

test.each([
  ['Boolean', 1, 1],
  ['SByte', -100, 1],
  ['Byte', 200, 1],
  ['Int16', -12.3, 0.1],
  ['UInt16', 65_535, 1],
  ['Int32', -2_147_483_648, 1],
  ['UInt32', 4_294_967_295, 1],
  ['Float', 230.1, 1],
  ['Double', 0.1 + 0.2, 1],
] as const)('a %s takes %d and shows it', async (type, value, scale) => {
  const before = Date.now();
  const result = await write(gauge(`Any${type}`, scale), value);
  expect(result).toEqual({ state: 'done', at: expect.any(Number) as number, readBack: value });
  expect(result.at).toBeGreaterThanOrEqual(before);
  expect((await lift.read([gauge(`Any${type}`, scale)], never()))[0]?.value).toBe(value);
});

test.each([
  ['AnyInt16', 1.5, 'no whole number, and the variable is of type Int16; nothing was written'],
  ['AnyByte', 256, 'outside 0..255'],
  ['AnyFloat', 1.000000001, 'a Float cannot hold'],
  ['AnyBoolean', 2, 'a Boolean is 0 or 1'],
  ['AnyInt16', null, 'no priorities'],
  ['ns=9', 1, 'no node id'],
  ['nsu=urn:other;i=1', 1, 'no such namespace'],
] as const)('%s is not given %s', async (address, value, message) => {
  const before = written().length;
  await expect(write(gauge(address), value)).rejects.toMatchObject({
    code: 'config',
    message: expect.stringContaining(message) as string,
  });
  expect(written()).toHaveLength(before);
});

test.each([
  ['Shown', 'the variable is read only'],
  ['Theirs', 'this login may not write it'],
  ['Nowhere', 'the server has no such variable: browse it for the address (BadNodeIdUnknown)'],
] as const)('%s is refused before anything is sent: %s', async (address, message) => {
  await expect(write(gauge(address), 1)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining(message) as string,
  });
});

test('a refusal of the device comes in words', async () => {
  bench.fault({ bus: 'line', device: 'Lift1', quantity: 'broken', fault: { kind: 'refuse' } });
  await expect(write(gauge('Broken'), 1)).rejects.toMatchObject({
    code: 'refused',
    message: 'not written: the device behind the server has failed (BadDeviceFailure)',
  });
});

test('a device that takes a value and shows another is told so', async () => {
  expect(await write(gauge('Limited'), 50)).toEqual({
    ...{
      state: 'differs',
      at: expect.any(Number) as number,
      readBack: 30,
      detail: 'it shows 30 in place of 50',
    },
  });
});

test('what was written outlives the network of the device', async () => {
  await write(gauge('AnyInt32'), 77);
  await bench.unplug();
  await bench.plug();
  await expect
    .poll(
      () =>
        lift.read([gauge('AnyInt32')], never()).then(
          ([sample]) => sample?.value,
          () => null,
        ),
      PATIENCE,
    )
    .toBe(77);
});

test('a write into a broken link fails and is never sent later', async () => {
  await lift.read([gauge('Slow')], never());
  const before = written().length;
  line.freeze();
  await expect(write(gauge('Slow'), 5)).rejects.toMatchObject({ code: 'timeout' });
  line.cut();
  await expect(write(gauge('Slow'), 6)).rejects.toMatchObject({ code: 'lost' });
  line.mend();
  await expect
    .poll(
      () =>
        lift.read([gauge('Slow')], never()).then(
          ([sample]) => sample?.value,
          () => null,
        ),
      PATIENCE,
    )
    .toBe(0);
  expect(written()).toHaveLength(before);
}, 60_000);

test('a write that is given up waiting for is aborted', async () => {
  bench.fault({ bus: 'line', device: 'Lift1', quantity: 'slow', fault: { kind: 'silence' } });
  const stop = new AbortController();
  const writing = lift.write!({ ref: gauge('Slow'), value: 1 }, stop.signal);
  stop.abort();
  await expect(writing).rejects.toMatchObject({ code: 'aborted' });
});
