import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort, mqttClient, paramsOf, tokenOf } from '../../../tests/support/mqtt.ts';
import { type Broker, type BrokerDeps, createBroker } from './broker.ts';
import { createStation, type Station } from './station.ts';
import { createSeen } from './seen.ts';
import { accountsOf, quietLog, scratchFolder } from './testing.ts';

const host = '127.0.0.1';
const patience = { timeout: 10_000 };

let port: number;
let broker: Broker;
let dataDir: string;
let stations: Map<string, Station>;
/** What was warned of: message and user. */
let warned: string[];
let opened: (MqttClient | Socket)[];

function given(over: Partial<BrokerDeps> = {}): Broker {
  return createBroker({
    ...{ host, port, maxPacketBytes: 65_536, maxConnections: 100 },
    ...accountsOf(stations, paramsOf),
    ...{ now: Date.now, dataDir, seen: createSeen() },
    log: {
      ...quietLog,
      warn: (facts, message) => warned.push(`${message} ${(facts as { username?: string }).username ?? ''}`),
    },
    ...over,
  });
}

beforeEach(async () => {
  port = await freePort();
  stations = new Map(['gate', 'leak'].map((name) => [name, createStation(Date.now)]));
  warned = [];
  dataDir = scratchFolder();
  opened = [];
  broker = given();
  await broker.open();
});
afterEach(async () => {
  for (const one of opened) {
    if ('endAsync' in one) await one.endAsync(true);
    else one.destroy();
  }
  await broker.close();
});

async function client(username: string, over: Parameters<typeof mqttClient>[0] = {}): Promise<MqttClient> {
  const options = { host, port, username, password: tokenOf(username), clientId: username, ...over };
  const made = await mqttClient(options);
  opened.push(made);
  return made;
}

const lastOf = (name: string, topic: string): unknown => {
  const document = stations.get(name)?.last(topic)?.document;
  return document?.ok === true ? document.value : undefined;
};

describe('who may come in', () => {
  test('a device with its token; it is there while its connection is', async () => {
    const gate = await client('gate');
    expect(stations.get('gate')?.isOnline()).toBe(true);
    expect(stations.get('leak')?.isOnline()).toBe(false);
    gate.stream.destroy();
    await expect.poll(() => stations.get('gate')?.isOnline(), patience).toBe(false);
  });

  test.each([
    ['a wrong token', { password: 'guessed' }],
    ['the token of another', { password: tokenOf('leak') }],
    ['no token', { password: undefined }],
    ['an unknown user', { username: 'nobody' }],
    ['a user who is a wildcard', { username: '#' }],
    ['nobody', { username: undefined, password: undefined }],
  ])('not: %s', async (_what, over) => {
    await expect(client('gate', over as object)).rejects.toMatchObject({ code: 4 });
    expect(stations.get('gate')?.isOnline()).toBe(false);
    expect(warned[0]).toContain('mqtt login refused');
  });

  test('a client of MQTT 5 is told so by the protocol, and we by one line with the advice', async () => {
    for (let i = 0; i < 3; i += 1) {
      const socket = dial(port, host);
      opened.push(socket);
      // CONNECT, protocol MQTT level 5, clean start, keep-alive 60, no properties, client id 'x'.
      socket.write(Buffer.from('100e00044d5154540502003c00000178', 'hex'));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString('hex')).toBe('2003008400'); // CONNACK of MQTT 5, unsupported protocol version
      await once(socket, 'close');
    }
    expect(warned).toEqual(['mqtt 5 is not spoken here ']);
  });

  test('nobody ends the connection of another by taking its client id', async () => {
    const gate = await client('gate', { clientId: 'same' });
    await client('leak', { clientId: 'same' });
    await gate.publishAsync('devices/gate/state', '{"open":true}', { qos: 1 });
    expect(gate.connected).toBe(true);
    await expect.poll(() => lastOf('gate', 'state'), patience).toEqual({ open: true });
  });

  test('a device that comes back before its old connection is noticed dead takes it over without having been away', async () => {
    const comings: boolean[] = [];
    const old = await client('gate', {
      will: { topic: 'devices/gate/online', payload: Buffer.from('0'), qos: 1, retain: true },
    });
    await old.publishAsync('devices/gate/online', '1', { qos: 1, retain: true });
    stations.get('gate')?.follow({ presence: (isOnline) => comings.push(isOnline) });
    const next = await client('gate');
    await expect.poll(() => old.connected, patience).toBe(false);
    await next.publishAsync('devices/gate/state', '{"open":true}', { qos: 1 });
    await expect.poll(() => lastOf('gate', 'state'), patience).toEqual({ open: true });
    expect(comings).toEqual([]);
  });

  test('one device cannot use up the connections of all', async () => {
    for (const clientId of ['1', '2', '3', '4']) await client('gate', { clientId });
    await expect(client('gate', { clientId: '5' })).rejects.toMatchObject({ code: 3 });
    await client('leak');
  });

  test('no more connections than allowed', async () => {
    await broker.close();
    broker = given({ maxConnections: 1 });
    await broker.open();
    await client('gate');
    await expect(client('leak')).rejects.toThrow();
    await expect(client('leak', { reconnectPeriod: 0 })).rejects.toThrow();
    expect(warned).toEqual([expect.stringContaining('too many')]);
  });
});

describe('what a device may tell and hear', () => {
  test('its own topics; what it retains it finds again', async () => {
    const gate = await client('gate');
    await gate.publishAsync('devices/gate/state', '{"open":true}', { qos: 1, retain: true });
    await expect.poll(() => lastOf('gate', 'state'), patience).toEqual({ open: true });
    const retained = new Promise((resolve) => {
      gate.once('message', (topic, payload) => {
        resolve([topic, payload.toString()]);
      });
    });
    const granted = await gate.subscribeAsync('devices/gate/#', { qos: 1 });
    expect(granted.map(({ qos }) => qos)).toEqual([1]);
    expect(await retained).toEqual(['devices/gate/state', '{"open":true}']);
  });

  test.each(['devices/leak/state', 'devices/gate', 'state', '$SYS/x', 'devices/gate2/state'])(
    'a message under %s ends its connection and reaches nobody',
    async (topic) => {
      const gate = await client('gate');
      await gate.publishAsync(topic, '{"leak":true}', { qos: 0 });
      await expect.poll(() => gate.connected, patience).toBe(false);
      expect(lastOf('leak', 'state')).toBeUndefined();
      expect(warned).toContain('mqtt publish refused: not a topic of this device gate');
    },
  );

  test.each(['#', 'devices/#', 'devices/+/state', 'devices/leak/state', '$SYS/#', '+/leak/#'])(
    'a subscription of %s is refused, and hears nothing of others',
    async (filter) => {
      const gate = await client('gate');
      const heard: string[] = [];
      gate.on('message', (topic) => heard.push(topic));
      await expect(gate.subscribeAsync(filter, { qos: 1 })).rejects.toThrow();
      const leak = await client('leak');
      await leak.publishAsync('devices/leak/state', '{"leak":true}', { qos: 1, retain: true });
      await expect.poll(() => lastOf('leak', 'state'), patience).toEqual({ leak: true });
      await gate.subscribeAsync('devices/gate/#', { qos: 1 });
      await gate.publishAsync('devices/gate/echo', '1', { qos: 1 });
      await expect.poll(() => heard, patience).toEqual(['devices/gate/echo']);
    },
  );

  test('a last will under a topic of another reaches nobody', async () => {
    const gate = await client('gate', {
      will: { topic: 'devices/leak/state', payload: Buffer.from('{"leak":true}'), qos: 1, retain: true },
    });
    gate.stream.destroy();
    await expect
      .poll(() => warned, patience)
      .toContain('mqtt publish refused: not a topic of this device gate');
    expect(lastOf('leak', 'state')).toBeUndefined();
  });

  test('a device that tells too much waits for its turn; nothing is lost, and nobody else waits', async () => {
    await broker.close();
    broker = given({ ...accountsOf(stations, paramsOf, 20) }); // 20 a second, 200 in a burst
    await broker.open();
    const gate = await client('gate');
    const leak = await client('leak');
    const acknowledged: number[] = [];
    const flood = Array.from({ length: 230 }, (_, n) =>
      gate.publishAsync('devices/gate/count', String(n), { qos: 1 }).then(() => acknowledged.push(n)),
    );
    const began = performance.now();
    await leak.publishAsync('devices/leak/state', '1', { qos: 1 });
    expect(acknowledged.length).toBeLessThan(230);
    await Promise.all(flood);
    expect(performance.now() - began).toBeGreaterThan(1_000);
    expect(acknowledged).toEqual(acknowledged.toSorted((a, b) => a - b));
    await expect.poll(() => lastOf('gate', 'count'), patience).toBe(229);
    expect(warned).toEqual(['mqtt device tells more than it may: slowed down gate']);
  });

  test('nothing is acknowledged that cannot be kept', async () => {
    const gate = await client('gate');
    const other = new DatabaseSync(join(dataDir, 'mqtt.sqlite'));
    other.exec("CREATE TRIGGER full BEFORE INSERT ON inbox BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    other.close();
    const outcome = await Promise.race([
      gate.publishAsync('devices/gate/state', '{"open":true}', { qos: 1 }).then(() => 'acknowledged'),
      new Promise((resolve) => gate.once('close', () => resolve('ended'))),
    ]);
    expect(outcome).toBe('ended');
    expect(lastOf('gate', 'state')).toBeUndefined();
    expect(warned).toContain('mqtt message could not be kept, so it is not acknowledged gate');
  });

  test('a packet above the limit ends its connection at its head, and only that', async () => {
    await broker.close();
    broker = given({ maxPacketBytes: 1_000 });
    await broker.open();
    const leak = await client('leak');
    const gate = await client('gate');
    // A head that announces 200 MB; its body never comes.
    gate.stream.write(Buffer.from('30ffffff5f', 'hex'));
    await expect.poll(() => gate.connected, patience).toBe(false);
    const other = await client('gate');
    await other.publishAsync('devices/gate/state', 'x'.repeat(2_000), { qos: 0 });
    await expect.poll(() => other.connected, patience).toBe(false);
    expect([leak.connected, lastOf('gate', 'state')]).toEqual([true, undefined]);
  });
});

describe('who leaves', () => {
  test('without a word: gone after one and a half keep-alives', async () => {
    const socket = dial(port, host);
    opened.push(socket);
    const [name, token] = ['gate', tokenOf('gate')].map((text) =>
      Buffer.concat([Buffer.of(0, text.length), Buffer.from(text)]),
    ) as [Buffer, Buffer];
    // CONNECT, MQTT 3.1.1, user name and password, clean session, keep-alive 1 s.
    const body = Buffer.concat([Buffer.from('00044d51545404c20001', 'hex'), name, name, token]);
    socket.write(Buffer.concat([Buffer.of(0x10, body.length), body]));
    await once(socket, 'data');
    expect(stations.get('gate')?.isOnline()).toBe(true);
    const began = Date.now();
    await expect.poll(() => stations.get('gate')?.isOnline(), patience).toBe(false);
    expect(Date.now() - began).toBeGreaterThan(900);
  });

  test('with a word: at once, and is back when it says so', async () => {
    const gate = await client('gate');
    await gate.publishAsync('devices/gate/online', '0', { qos: 1, retain: true });
    await expect.poll(() => stations.get('gate')?.isOnline(), patience).toBe(false);
    await gate.publishAsync('devices/gate/online', '1', { qos: 1, retain: true });
    await expect.poll(() => stations.get('gate')?.isOnline(), patience).toBe(true);
  });
});

describe('the port', () => {
  test('that is taken is said, and found free later', async () => {
    const second = given();
    await expect(second.open()).rejects.toMatchObject({ code: 'lost', message: /EADDRINUSE.*free the port/ });
    expect(warned).toEqual([]); // The device that could not be read tells, and no more often than it should.
    await broker.close();
    await second.open();
    await client('gate');
    await second.close();
    expect(stations.get('gate')?.isOnline()).toBe(false);
  });

  test('close is safe twice and before open', async () => {
    await given().close();
    await broker.close();
    await broker.close();
  });
});
