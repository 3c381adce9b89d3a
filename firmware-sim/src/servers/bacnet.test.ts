import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFaults, type Faults } from '../faults.ts';
import type { BusPlace } from '../ports.ts';
import type { DeviceEntry } from '../request-log.ts';
import { parseBacnetTable } from '../tables/bacnet-table.ts';
import { createBacnetServer } from './bacnet.ts';
import type { BusServer } from './bus-server.ts';

/** A client of another code line than the simulator's and the driver's; only what is used here. */
interface PeerClient {
  on(
    event: string,
    listener: (message: { header: { sender: { address: string } }; payload: never }) => void,
  ): void;
  whoIs(receiver: object, limits: object): void;
  readProperty(receiver: object, object: object, property: number, options: object, next: Next): void;
  writeProperty(
    ...args: [
      receiver: object,
      object: object,
      property: number,
      values: readonly object[],
      options: object,
      next: Next,
    ]
  ): void;
  readRange(receiver: object, object: object, from: number, count: number, options: object, next: Next): void;
  readPropertyMultiple(receiver: object, asked: readonly object[], options: object, next: Next): void;
  subscribeCov(
    ...args: [
      receiver: object,
      object: object,
      id: number,
      cancel: boolean,
      confirmed: boolean,
      lifetime: number,
      options: object,
      next: Next,
    ]
  ): void;
  close(): void;
}
type Next = (error: Error | null, value?: unknown) => void;
const NodeBacnet = createRequire(import.meta.url)('node-bacnet') as new (options: object) => PeerClient;

const table = parseBacnetTable(
  `
device: Bench controller
objects:
  - { id: AI-1, name: T, description: Temperature, quantity: temperature, units: degrees-celsius, increment: 0.5, digits: 2 }
  - { id: AI-2, name: B, quantity: broken, units: percent }
  - { id: BI-1, name: S, quantity: status }
  - { id: AV-1, name: SP, quantity: temperature_setpoint }
  - { id: AV-2, name: FREE, quantity: free, access: writable }
trends:
  - { id: TL-1, of: AV-1, everyS: 0.1, keep: 20 }
alarms:
  - { of: AI-1, high: 50, low: -50 }
`,
  'bench',
);
let temperature: number;
let faults: Faults;
let told: DeviceEntry[];
let server: BusServer;
let place: BusPlace;
let client: PeerClient;

beforeEach(async () => {
  temperature = 21.4;
  faults = createFaults();
  told = [];
  const quantities = new Map([
    ['temperature', () => temperature],
    ['broken', () => NaN],
    ['status', () => 1],
    ['temperature_setpoint', () => 21],
    ['free', () => 5],
  ]);
  server = createBacnetServer({
    bus: 'net',
    devices: [2001, 2002].map((device) => ({ key: `d${device}`, address: { device }, table, quantities })),
    faults,
    log: { write: (entry) => void ('device' in entry && told.push(entry)), close: () => undefined },
    now: Date.now,
    dataDir: '/nowhere',
  });
  place = await server.listen({ host: '127.0.0.1', port: 0 });
  client = new NodeBacnet({
    port: await freePort(),
    interface: '127.0.0.1',
    apduTimeout: 400,
    reuseAddr: false,
  });
});
afterEach(async () => {
  client.close();
  await server.close();
});

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => void socket.close(resolve));
  return port;
}

/** Where the devices answer from, by instance. */
async function find(low: number, high: number, count: number): Promise<Map<number, { address: string }>> {
  const found = new Map<number, { address: string }>();
  client.on('iAm', ({ header, payload }) => {
    found.set((payload as { deviceId: number }).deviceId, { address: header.sender.address });
  });
  client.whoIs({ address: `${place.host}:${place.port}` }, { lowLimit: low, highLimit: high });
  await expect.poll(() => found.size).toBe(count);
  return found;
}

const call = (work: (next: Next) => void): Promise<unknown> =>
  new Promise((resolve, reject) => work((error, value) => (error ? reject(error) : resolve(value))));
const read = (receiver: object, type: number, instance: number, property = 85): Promise<unknown> =>
  call((next) => client.readProperty(receiver, { type, instance }, property, {}, next));

test('a Who-Is on the bus is answered by each device in the window from a port of its own', async () => {
  const all = await find(2000, 2010, 2);
  expect(new Set([...all.values()].map(({ address }) => address)).size).toBe(2);
  expect([...(await find(2002, 2002, 1)).keys()]).toEqual([2002]);
});

test('values, flags, names, units and the object list, one by one', async () => {
  const device = (await find(2001, 2001, 1)).get(2001)!;
  expect(await read(device, 0, 1)).toMatchObject({ values: [{ type: 4, value: Math.fround(21.4) }] });
  expect(await read(device, 3, 1)).toMatchObject({ values: [{ type: 9, value: 1 }] });
  expect(await read(device, 0, 1, 77)).toMatchObject({ values: [{ value: 'd2001.T' }] });
  expect(await read(device, 0, 1, 117)).toMatchObject({ values: [{ value: 62 }] });
  expect(await read(device, 0, 2)).toMatchObject({ values: [{ type: 4, value: NaN }] });
  expect(await read(device, 0, 2, 103)).toMatchObject({ values: [{ value: 7 }] });
  expect(await read(device, 8, 2001, 76)).toMatchObject({
    values: [
      [8, 2001],
      [0, 1],
      [0, 2],
      [3, 1],
      [2, 1],
      [2, 2],
      [20, 1],
      [15, 1],
    ].map(([type, instance]) => ({ value: { type, instance } })),
  });
  expect(told.filter(({ values }) => 'temperature' in values)).toMatchObject([
    { bus: 'net', device: 'd2001', op: 'read', values: { temperature: 21.4 }, outcome: 'ok' },
  ]);
});

test('many at once, with what is not there refused in its place', async () => {
  const device = (await find(2001, 2001, 1)).get(2001)!;
  const ask = [
    { objectId: { type: 0, instance: 2 }, properties: [{ id: 85 }, { id: 111 }, { id: 9999 }] },
    { objectId: { type: 0, instance: 77 }, properties: [{ id: 85 }] },
  ];
  const reply = await call((next) => client.readPropertyMultiple(device, ask, {}, next));
  expect(reply).toMatchObject({
    values: [
      {
        values: [
          { value: [{ value: NaN }] },
          { value: [{ value: { value: [0b10], bitsUsed: 4 } }] },
          { value: [{ value: { errorCode: 32 } }] },
        ],
      },
      { values: [{ value: [{ value: { errorClass: 1, errorCode: 31 } }] }] },
    ],
  });
  await expect(read(device, 0, 77)).rejects.toThrow('UNKNOWN_OBJECT');
});

test('a change by the increment is told to who subscribed, until the lifetime is over', async () => {
  const device = (await find(2001, 2001, 1)).get(2001)!;
  const got: unknown[] = [];
  client.on('covNotifyUnconfirmed', ({ payload }) => {
    const { monitoredObjectId, values } = payload as {
      monitoredObjectId: object;
      values: { value: { value: number }[] }[];
    };
    got.push([monitoredObjectId, values[0]!.value[0]!.value]);
  });
  const object = { type: 0, instance: 1 };
  await call((next) => client.subscribeCov(device, object, 7, false, false, 2, {}, next));
  await expect.poll(() => got).toEqual([[object, Math.fround(21.4)]]);
  temperature = 21.6;
  await new Promise((resolve) => setTimeout(resolve, 450));
  expect(got).toHaveLength(1);
  temperature = 21.9;
  await expect.poll(() => got.length).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  temperature = 30;
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(got).toHaveLength(2);
  await expect(
    call((next) => client.subscribeCov(device, { type: 0, instance: 77 }, 7, false, false, 1, {}, next)),
  ).rejects.toThrow('COV_SUBSCRIPTION_FAILED');
});

/** Writes a Real, or null, to a present value. */
const command = (
  device: object,
  [type, instance]: [number, number],
  value: number | null,
  priority: number,
) =>
  call((next) =>
    client.writeProperty(
      device,
      { type, instance },
      85,
      [{ type: value === null ? 0 : 4, value }],
      { priority },
      next,
    ),
  );
const shown = async (device: object, type: number, instance: number): Promise<unknown> =>
  ((await read(device, type, instance)) as { values: { value: unknown }[] }).values[0]?.value;

test('a commandable object shows the highest priority, and its model when all is given back', async () => {
  const device = (await find(2001, 2001, 1)).get(2001)!;
  await command(device, [2, 1], 19, 8);
  await command(device, [2, 1], 17, 5);
  expect(await shown(device, 2, 1)).toBe(17);
  await command(device, [2, 1], null, 5);
  expect(await shown(device, 2, 1)).toBe(19);
  await command(device, [2, 1], null, 8);
  expect(await shown(device, 2, 1)).toBe(21);
  expect(told.filter(({ op }) => op === 'write').map(({ values }) => values.temperature_setpoint)).toEqual([
    ...[19, 17, null, null],
  ]);
});

test('an object without priorities keeps what it is given, and agrees to a relinquish without doing it', async () => {
  const device = (await find(2001, 2001, 1)).get(2001)!;
  await command(device, [2, 2], 7, 8);
  await command(device, [2, 2], null, 8);
  expect(await shown(device, 2, 2)).toBe(7);
  await expect(read(device, 2, 2, 87)).rejects.toThrow('UNKNOWN_PROPERTY');
});

test('an input is not written, nor a value of another type', async () => {
  const device = (await find(2001, 2001, 1)).get(2001)!;
  await expect(command(device, [0, 1], 1, 8)).rejects.toThrow('WRITE_ACCESS_DENIED');
  const wrong = [{ type: 9, value: 1 }];
  await expect(
    call((next) => client.writeProperty(device, { type: 2, instance: 1 }, 85, wrong, {}, next)),
  ).rejects.toThrow('INVALID_DATA_TYPE');
});

test('a trend log gives its records by position', async () => {
  const device = (await find(2001, 2001, 1)).get(2001)!;
  const range = await call((next) => client.readRange(device, { type: 20, instance: 1 }, 1, 3, {}, next));
  expect(range).toMatchObject({ itemCount: 3 });
});

test('silence, refusal and delay strike a device or one of its quantities', async () => {
  const device = (await find(2001, 2001, 1)).get(2001)!;
  faults.set({ bus: 'net', device: 'd2001', quantity: 'temperature', fault: { kind: 'refuse' } });
  await expect(read(device, 0, 1)).rejects.toThrow('READ_ACCESS_DENIED');
  expect(await read(device, 3, 1)).toMatchObject({ values: [{ value: 1 }] });
  faults.set({ bus: 'net', device: 'd2001', fault: { kind: 'silence' } });
  await expect(read(device, 3, 1)).rejects.toThrow('ERR_TIMEOUT');
  faults.clear();
  faults.set({ bus: 'net', fault: { kind: 'delay', ms: 150 } });
  const began = performance.now();
  await read(device, 3, 1);
  expect(performance.now() - began).toBeGreaterThan(140);
  expect(told.map(({ outcome }) => outcome)).toEqual(['refuse', 'ok', 'silence', 'delay']);
});

test('off the network a device is silent; back on it, it is found at another place', async () => {
  const before = (await find(2001, 2001, 1)).get(2001)!;
  await server.close();
  await expect(read(before, 3, 1)).rejects.toThrow('ERR_TIMEOUT');
  expect(await server.listen(place)).toEqual(place);
  const after = (await find(2001, 2001, 1)).get(2001)!;
  expect(await read(after, 3, 1)).toMatchObject({ values: [{ value: 1 }] });
});

test('one device leaves the network while its neighbour goes on, and joins it again', async () => {
  const [gone, stays] = [2001, 2002] as const;
  const before = await find(gone, stays, 2);
  await server.leave?.('d2001');
  await expect(read(before.get(gone)!, 3, 1)).rejects.toThrow('ERR_TIMEOUT');
  expect(await read(before.get(stays)!, 3, 1)).toMatchObject({ values: [{ value: 1 }] });
  expect([...(await find(gone, stays, 1)).keys()]).toEqual([stays]);
  await server.join?.('d2001');
  const after = await find(gone, stays, 2);
  expect(await read(after.get(gone)!, 3, 1)).toMatchObject({ values: [{ value: 1 }] });
});

test('an address that is no instance, and an instance that is there twice, are refused', () => {
  const serve = (addresses: readonly unknown[]) => () =>
    createBacnetServer({
      ...{ bus: 'net', faults, now: Date.now, dataDir: '/nowhere' },
      devices: addresses.map((address) => ({
        key: 'd',
        address,
        table: { ...table, rows: [] },
        quantities: new Map(),
      })),
      log: { write: () => undefined, close: () => undefined },
    });
  expect(serve([{ device: -1 }])).toThrow('device instance 0..4194302');
  expect(serve([{}])).toThrow('device instance');
  expect(serve([{ device: 5 }, { device: 5 }])).toThrow('two devices of instance 5');
});
