import { createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFaults, type Faults } from '../faults.ts';
import type { DeviceEntry } from '../request-log.ts';
import { parseMqttTable, readMqttTable } from '../tables/mqtt-table.ts';
import type { BusServer } from './bus-server.ts';
import { createMqttDevices } from './mqtt.ts';

const host = '127.0.0.1';
const patience = { timeout: 10_000 };
const table = parseMqttTable(
  `{ device: test, topic: state, command: cmd, everySeconds: 60, fields: [
    { field: open, quantity: barrier_open, as: boolean, writable: true },
    { field: count.in, quantity: passes_in, as: integer },
    { field: air.t, quantity: air_temperature, as: decimal, digits: 1 }] }`,
  'test',
);

let values: Map<string, number>;
let told: DeviceEntry[];
/** What reached the broker: topic, payload, and how many log entries there were by then. */
let heard: [topic: string, payload: string, logged: number][];
let logins: string[];
/** Logins that the broker refuses before it accepts one. */
let refusals: number;
let faults: Faults;
let devices: BusServer;
let port: number;
let stopBroker: () => Promise<void>;
let say: (payload: string) => void;

async function startBroker(): Promise<void> {
  const broker = await Aedes.createBroker({
    authenticate(client, username, password, done) {
      logins.push(`${username} ${String(password)} ${client.id}`);
      done(null, logins.length > refusals);
    },
  });
  broker.on('publish', (packet, client) => {
    const [topic, payload] = [packet.topic, packet.payload.toString()];
    if (client) heard.push([topic, payload, told.length]);
    if (client) retained.set(topic, packet.retain);
  });
  say = (payload) => {
    const packet = { cmd: 'publish', topic: 'devices/gate-user/cmd', dup: false, retain: false } as const;
    broker.publish({ ...packet, payload: Buffer.from(payload), qos: 1 }, () => undefined);
  };
  const server: Server = createServer(broker.handle);
  await new Promise<void>((resolve) => void server.listen(port, host, resolve));
  stopBroker = async () => {
    await new Promise<void>((resolve) => void broker.close(resolve));
    await new Promise((resolve) => void server.close(resolve));
  };
}
const retained = new Map<string, boolean>();
const states = () => heard.filter(([topic]) => topic === 'devices/gate-user/state').map(([, json]) => json);

beforeEach(async () => {
  [told, heard, logins] = [[], [], []];
  refusals = 0;
  retained.clear();
  faults = createFaults();
  values = new Map([
    ['barrier_open', 0],
    ['passes_in', 41.6],
    ['air_temperature', 21.345],
  ]);
  devices = createMqttDevices({
    bus: 'a-mqtt',
    devices: [
      {
        ...{ key: 'gate-a-1', address: { username: 'gate-user' }, table },
        quantities: new Map([...values.keys()].map((key) => [key, () => values.get(key)!])),
      },
    ],
    faults,
    log: { write: (entry) => void ('device' in entry && told.push(entry)), close: () => undefined },
    now: () => 1_000,
    dataDir: '/nowhere',
    passwordOf: (key) => `token of ${key}`,
  });
  ({ port } = await devices.listen({ host, port: 0 }));
});
afterEach(async () => {
  await devices.close();
  await stopBroker();
});

describe('a device', () => {
  test('finds a broker that opens later, says it is there and tells its state, retained and logged before', async () => {
    await startBroker();
    await expect.poll(() => heard.length, patience).toBe(2);
    expect(logins).toEqual(['gate-user token of gate-a-1 gate-user']);
    expect(heard).toEqual([
      ['devices/gate-user/online', '1', expect.any(Number)],
      ['devices/gate-user/state', '{"ts":1000,"open":false,"count":{"in":42},"air":{"t":21.3}}', 1],
    ]);
    expect([...retained.values()]).toEqual([true, true]);
    expect(told).toEqual([
      {
        ...{ t: 1_000, bus: 'a-mqtt', device: 'gate-a-1', op: 'publish', outcome: 'ok' },
        values: { barrier_open: 0, passes_in: 42, air_temperature: 21.3 },
      },
    ]);
  });

  test('that leaves says no farewell, so the broker tells its last will; it joins again', async () => {
    await startBroker();
    await expect.poll(states, patience).toHaveLength(1);
    const presence = () => heard.filter(([topic]) => topic.endsWith('/online')).map(([, payload]) => payload);
    await devices.leave?.('gate-a-1');
    await expect.poll(presence, patience).toEqual(['1', '0']);
    values.set('barrier_open', 1);
    await devices.join?.('gate-a-1');
    await devices.join?.('gate-a-1');
    await expect.poll(states, patience).toHaveLength(2);
    expect(presence()).toEqual(['1', '0', '1']);
    expect(logins).toHaveLength(2);
  });

  test('that is refused tries again', async () => {
    refusals = 2;
    await startBroker();
    await expect.poll(states, patience).toHaveLength(1);
    expect(logins).toHaveLength(3);
  });

  test('tells a change, and not what it would show the same', async () => {
    await startBroker();
    await expect.poll(states, patience).toHaveLength(1);
    values.set('air_temperature', 21.349);
    values.set('barrier_open', 1);
    await expect.poll(states, patience).toHaveLength(2);
    expect(states()[1]).toContain('"open":true');
    expect(told).toHaveLength(2);
  });

  test('shows what it cannot measure as null', async () => {
    values.set('air_temperature', Number.NaN);
    await startBroker();
    await expect.poll(states, patience).toHaveLength(1);
    expect(states()[0]).toContain('"air":{"t":null}');
    expect(told[0]?.values.air_temperature).toBeNull();
  });

  test('leaves without a word, so its last will speaks, and comes back to the same place', async () => {
    await startBroker();
    await expect.poll(states, patience).toHaveLength(1);
    await devices.close();
    await expect.poll(() => heard.at(-1)?.slice(0, 2), patience).toEqual(['devices/gate-user/online', '0']);
    await devices.listen({ host, port });
    await expect.poll(states, patience).toHaveLength(2);
  });
});

describe('a command', () => {
  const opens = () => states().map((json) => /"open":(\w+)/.exec(json)?.[1]);
  const writes = () =>
    told.filter(({ op }) => op === 'write').map(({ values, outcome }) => [values, outcome]);

  test('overrides what the device shows until it is taken back, also over a new connection', async () => {
    await startBroker();
    await expect.poll(opens, patience).toEqual(['false']);
    say('{"open":true}');
    await expect.poll(opens, patience).toEqual(['false', 'true']);
    await devices.leave?.('gate-a-1');
    await devices.join?.('gate-a-1');
    await expect.poll(opens, patience).toEqual(['false', 'true', 'true']);
    say('{"open":null}');
    await expect.poll(() => opens().at(-1), patience).toBe('false');
    expect(writes()).toEqual([
      [{ barrier_open: 1 }, 'ok'],
      [{ barrier_open: null }, 'ok'],
    ]);
  });

  test('that is none is refused whole, and the state is told again', async () => {
    await startBroker();
    await expect.poll(opens, patience).toEqual(['false']);
    const none = ['{"open":1}', '{"open":true,"count":{"in":0}}', '{"shut":true}', 'open', '[]'];
    for (const payload of none) say(payload);
    await expect.poll(opens, patience).toEqual(['false', ...none.map(() => 'false')]);
    expect(writes()).toEqual(none.map(() => [{}, 'refuse']));
  });

  test('is not obeyed by a device at fault', async () => {
    await startBroker();
    await expect.poll(opens, patience).toEqual(['false']);
    faults.set({ bus: 'a-mqtt', device: 'gate-a-1', times: 1, fault: { kind: 'refuse' } });
    say('{"open":true}');
    await expect.poll(writes, patience).toEqual([[{ barrier_open: 1 }, 'refuse']]);
    await expect.poll(opens, patience).toEqual(['false', 'false']);
  });
});

describe('a fault', () => {
  test('silence: the change is logged and not told', async () => {
    await startBroker();
    await expect.poll(states, patience).toHaveLength(1);
    faults.set({ bus: 'a-mqtt', device: 'gate-a-1', fault: { kind: 'silence' } });
    values.set('barrier_open', 1);
    await expect.poll(() => told.at(-1)?.outcome, patience).toBe('silence');
    expect(states()).toHaveLength(1);
  });

  test('refuse: the quantity is null, its neighbours are there', async () => {
    faults.set({ bus: 'a-mqtt', device: 'gate-a-1', quantity: 'passes_in', fault: { kind: 'refuse' } });
    await startBroker();
    await expect.poll(states, patience).toHaveLength(1);
    expect(states()[0]).toContain('"count":{"in":null},"air":{"t":21.3}');
    expect(told[0]?.values).toEqual({ barrier_open: 0, passes_in: null, air_temperature: 21.3 });
  });

  test('delay: a late telegram holds up those behind it', async () => {
    await startBroker();
    await expect.poll(states, patience).toHaveLength(1);
    faults.set({ bus: 'a-mqtt', device: 'gate-a-1', times: 1, fault: { kind: 'delay', ms: 1_500 } });
    values.set('passes_in', 43);
    await new Promise((resolve) => setTimeout(resolve, 700)); // It has looked, and waits.
    values.set('passes_in', 44);
    await expect
      .poll(() => states().map((json) => /"in":(\d+)/.exec(json)?.[1]), patience)
      .toEqual(['42', '43', '44']);
    expect(told.map(({ outcome }) => outcome)).toEqual(['ok', 'delay', 'ok']);
  });
});

describe('a table', () => {
  test.each(['gate/generic-mqtt', 'leak-sensor/generic-mqtt'])('%s is sound', (id) => {
    expect(readMqttTable(id).fields.length).toBeGreaterThan(3);
  });

  test('tells all its faults', () => {
    const text = `{ device: x, topic: 'a/#', everySeconds: 0, fields: [
      { field: a, quantity: q, as: text }, { field: a, quantity: 'r', as: decimal, digits: 9 }] }`;
    expect(() => parseMqttTable(text, 'x')).toThrow(
      'device table x: topic is a/#; everySeconds is 0; q: no shape text; r: digits is 9; field a is there twice',
    );
  });
});

test('a device without a user name is said', async () => {
  const nameless = createMqttDevices({
    ...{ bus: 'b', faults, now: () => 0, dataDir: '/nowhere', passwordOf: () => '' },
    devices: [{ key: 'gate-b-1', address: {}, table, quantities: new Map() }],
    log: { write: () => undefined, close: () => undefined },
  });
  await expect(nameless.listen({ host, port: 0 })).rejects.toThrow('gate-b-1: address.username is undefined');
  await startBroker();
});
