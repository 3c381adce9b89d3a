import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, Sample } from '@parkline/kit';
import { Aedes } from 'aedes';
import type { MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ConformanceBench, describeConformance } from '@parkline/kit/conformance';
import { freePort, mqttClient, startMqttBench } from '../../../tests/support/mqtt.ts';
import { driver as module } from './index.ts';
import { encodePayload } from './sparkplug-codec.ts';
import { connectionTo, never, point, quietLog, scratchFolder } from './testing.ts';

const host = '127.0.0.1';
const patience = { timeout: 15_000 };

/** A broker of somebody else, able to fall over. */
async function foreignBroker(port: number) {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  let server: Server;
  const up = (): Promise<void> =>
    new Promise((resolve) => {
      server = createServer((socket) => {
        sockets.add(socket);
        aedes.handle(socket);
      });
      server.listen(port, host, resolve);
    });
  const down = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await closed;
  };
  await up();
  return {
    up,
    down,
    /** Lets nobody else in from here on. */
    askFor(login: { username: string; password: string }) {
      aedes.authenticate = (_client, user, password, done) => {
        done(null, user === login.username && password?.toString() === login.password);
      };
    },
    refuseLogins() {
      aedes.authenticate = (_client, _user, _password, done) => {
        done(Object.assign(new Error('no'), { returnCode: 4 as const }), false);
      };
    },
    async stop() {
      await down().catch(() => undefined);
      await new Promise<void>((resolve) => void aedes.close(resolve));
    },
  };
}

async function setUp(): Promise<ConformanceBench> {
  const bench = await startMqttBench(['gate-a-1', 'gate-a-2']);
  const foreign = await foreignBroker(bench.place.port);
  const url = `mqtt://${host}:${bench.place.port}`;
  const connection = connectionTo({ mode: 'client', url, clientId: 'gateway', timeoutMs: 3_000 });
  const driver = connection.device({ topic: 'devices/gate-a-1', maxAgeMs: 1_500 });
  const good = [
    { ref: point('state:/open', { kind: 'state' }), value: 1 },
    { ref: point('state:/count/in'), value: 4711 },
    { ref: point('state:/air/t', { scale: 10 }), value: 213.7 },
  ];
  return {
    driver,
    good,
    refused: point('state:/broken'),
    silence: async () => {
      bench.fault({ device: 'gate-a-1', fault: { kind: 'silence' } });
      await sleep(2_000);
    },
    speak: async () => bench.clear(),
    unplug: async () => {
      await bench.unplug();
      const isGone = (): Promise<boolean> =>
        driver.read([good[0]!.ref], never()).then(
          () => false,
          ({ code }: { code: string }) => code === 'lost',
        );
      await expect.poll(isGone, patience).toBe(true);
    },
    plug: () => bench.plug(),
    patienceMs: 10_000,
    tearDown: async () => {
      await connection.close();
      await bench.stop();
      await foreign.stop();
    },
  };
}

describeConformance('MQTT through the broker of another', setUp);

describe('a client of another broker', () => {
  let port: number;
  let foreign: Awaited<ReturnType<typeof foreignBroker>>;
  let connection: Connection;
  let device: MqttClient;
  let dataDir: string;
  const open = (over: object = {}): Connection =>
    connectionTo(
      { mode: 'client', url: `mqtt://${host}:${port}`, clientId: 'gateway', timeoutMs: 1_000, ...over },
      quietLog,
      dataDir,
    );

  beforeEach(async () => {
    port = await freePort();
    dataDir = scratchFolder();
    foreign = await foreignBroker(port);
    connection = open();
    device = await mqttClient({ host, port });
  });
  afterEach(async () => {
    await device.endAsync(true);
    await connection.close();
    await foreign.stop();
  });

  function subscribed(given: Connection, topic = 'plant/pump') {
    const told: Sample[] = [];
    const stop = new AbortController();
    const driver = given.device({ topic, confirmMs: 1_000 });
    const ended = driver.subscribe!([point('state:/on -> cmd')], (one) => told.push(one), stop.signal);
    ended.catch(() => undefined);
    return { driver, values: () => told.map(({ value }) => value), stop };
  }

  test('takes QoS 1 messages that came while it was away, and comes back with its subscriptions', async () => {
    const first = subscribed(connection);
    await expect.poll(() => valueOf(first.driver, device, 1), patience).toBe(1);
    await connection.close();
    for (const on of [2, 3, 4]) await device.publishAsync('plant/pump/state', `{"on":${on}}`, { qos: 1 });
    connection = open();
    const second = subscribed(connection);
    // What was told a moment before comes once more.
    await expect.poll(() => second.values().filter((value) => value !== 1), patience).toEqual([2, 3, 4]);
  });

  test('is lost with its broker, and back with it', async () => {
    const { driver } = subscribed(connection);
    await expect.poll(() => valueOf(driver, device, 1), patience).toBe(1);
    await foreign.down();
    await expect
      .poll(
        () => driver.read([point('state:/on')], never()).catch(({ code }: { code: string }) => code),
        patience,
      )
      .toBe('lost');
    await foreign.up();
    const again = await mqttClient({ host, port });
    await expect.poll(() => valueOf(driver, again, 7), patience).toBe(7);
    await again.endAsync(true);
  }, 30_000);

  test('a retained message stands as uncertain; one with its own time is as good as just told', async () => {
    await device.publishAsync('plant/pump/state', '{"on":1}', { qos: 1, retain: true });
    await device.publishAsync('plant/fan/state', `{"on":1,"ts":${Date.now() - 1_000}}`, {
      qos: 1,
      retain: true,
    });
    const pump = connection.device({ topic: 'plant/pump' });
    const fan = connection.device({ topic: 'plant/fan' });
    const qualityOf = async (driver: typeof pump): Promise<unknown> =>
      (await driver.read([point('state:/on')], never()))[0]?.quality;
    await expect.poll(() => qualityOf(pump).catch(String), patience).toBe('uncertain');
    expect(await qualityOf(fan)).toBe('good');
  });

  test('a write is a command, and done when the device shows it', async () => {
    const { driver } = subscribed(connection);
    await expect.poll(() => valueOf(driver, device, 0), patience).toBe(0);
    await device.subscribeAsync('plant/pump/cmd', { qos: 1 });
    device.on('message', (_topic, payload) => {
      device.publish('plant/pump/state', `{"on":${payload.toString()}}`, { qos: 1 });
    });
    const order = { ref: point('state:/on -> cmd'), value: 42 };
    await expect(driver.write!(order, never())).resolves.toMatchObject({ state: 'done', readBack: 42 });
  });

  test('a Sparkplug node is read, and asked for its birth when it is missing', async () => {
    const driver = connection.device({ sparkplug: { group: 'site', node: 'edge' } });
    const asked: string[] = [];
    device.on('message', (topic) => asked.push(topic));
    await device.subscribeAsync('spBv1.0/site/NCMD/edge');
    await driver.connect(never());
    const metrics = [{ name: 'Meter/Power', alias: 1n, datatype: 9, value: 12.5 }];
    device.publish(
      'spBv1.0/site/NDATA/edge',
      Buffer.from(encodePayload({ seq: 4, metrics: [{ alias: 1n, value: 3n }] })),
    );
    await expect.poll(() => asked, patience).toEqual(['spBv1.0/site/NCMD/edge']);
    device.publish('spBv1.0/site/NBIRTH/edge', Buffer.from(encodePayload({ seq: 0, metrics })));
    const read = async (): Promise<unknown> => (await driver.read([point('Meter/Power')], never()))[0]?.value;
    await expect.poll(() => read().catch(String), patience).toBe(12.5);
  });

  test('a search lists topics above values, and Sparkplug devices', async () => {
    const stop = new AbortController();
    const found: unknown[] = [];
    const searching = (async () => {
      for await (const { params } of connection.discover!({}, stop.signal)) found.push(params);
    })();
    await expect
      .poll(() => {
        device.publish('plant/pump/state', '1');
        device.publish('spBv1.0/site/DBIRTH/edge/meter', Buffer.alloc(0));
        return found;
      }, patience)
      .toEqual(
        expect.arrayContaining([
          { topic: 'plant/pump' },
          { sparkplug: { group: 'site', node: 'edge', device: 'meter' } },
        ]),
      );
    stop.abort();
    await searching;
    expect(found).toHaveLength(2);
  });

  test('says at once that its login is not taken', async () => {
    foreign.refuseLogins();
    const stranger = open({ timeoutMs: 20_000 });
    const began = performance.now();
    await expect(stranger.device({ topic: 'plant/pump' }).connect(never())).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/does not let us in/) as string,
    });
    expect(performance.now() - began).toBeLessThan(10_000);
    await stranger.close();
  });

  test('logs in with the password that it was given', async () => {
    const login = { username: 'park', password: 'a secret' };
    foreign.askFor(login);
    const known = open({ clientId: 'known', ...login });
    expect(await valueOf(known.device({ topic: 'plant/pump' }), device, 1)).toBe(1);
    await known.close();
  });

  test('says why there is no connection', async () => {
    const nowhere = open({ url: `mqtt://${host}:${await freePort()}` });
    const driver = nowhere.device({ topic: 'x' });
    await expect(driver.read([point('a')], never())).rejects.toMatchObject({
      code: 'lost',
      message: expect.stringMatching(/no connection to the broker: .*ECONNREFUSED/) as string,
    });
    await nowhere.close();
  });
});

test.each([
  ['a url with a password in it', { url: 'mqtt://me:secret@host' }, /url/],
  ['another scheme', { url: 'http://host', clientId: 'x' }, /url/],
  ['a session without a name', { url: 'mqtt://host' }, /clientId is needed/],
  [
    'a password that is said twice',
    { url: 'mqtt://host', clientId: 'x', password: 'a', passwordFile: 'f' },
    /exclude each other/,
  ],
  ['a parameter of the other mode', { url: 'mqtt://host', clientId: 'x', port: 1 }, /port is no parameter/],
])('%s is refused', (_what, params, why) => {
  expect(() =>
    module.openConnection(
      { mode: 'client', ...params },
      { now: Date.now, log: quietLog, dataDir: '/nowhere' },
    ),
  ).toThrow(why);
});

/** What the driver shows after the device told `on`. */
async function valueOf(
  driver: ReturnType<Connection['device']>,
  device: MqttClient,
  on: number,
): Promise<unknown> {
  await driver.connect(never());
  await device.publishAsync('plant/pump/state', `{"on":${on}}`, { qos: 1 });
  const [sample] = await driver.read([point('state:/on')], never());
  return sample?.value;
}
