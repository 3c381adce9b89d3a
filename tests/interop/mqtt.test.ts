// The MQTT driver against mosquitto: its clients against our broker, and our client against its broker.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, Driver, DriverLog, PointRef } from '@parkline/kit';
import { type ConformanceBench, describeConformance } from '@parkline/kit/conformance';
import { driver as mqtt } from '@parkline/mqtt';
import { connect } from 'mqtt';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort, paramsOf, startMqttBench, tokenOf } from '../support/mqtt.ts';
import { findProgram } from './peers.ts';

const host = '127.0.0.1';
const patience = { timeout: 15_000 };
const never = new AbortController().signal;

const [pub, sub, broker] = await Promise.all([
  findProgram('mosquitto_pub'),
  findProgram('mosquitto_sub'),
  findProgram('mosquitto'),
]);
const why = [pub, sub, broker].find((one) => !one.ok)?.why ?? '';
const withPeers = describe.skipIf(why !== '');
const pathOf = (peer: typeof pub): string => (peer.ok ? peer.path : '');

let folder: string;
let port: number;
let ends: (() => unknown)[];

const point = (address: string, over: Partial<PointRef> = {}): PointRef => ({
  ...{ pointId: address, address, scale: 1, kind: 'gauge' },
  ...over,
});

function setUpTest(): void {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parkline-interop-'));
    port = await freePort();
    ends = [() => rmSync(folder, { recursive: true, force: true })];
  });
  afterEach(async () => {
    for (const end of ends.toReversed()) await end();
  });
}

/** Runs a mosquitto client to its end. */
async function run(peer: typeof pub, options: readonly string[]): Promise<{ code: number; text: string }> {
  const child = spawn(pathOf(peer), ['-h', host, '-p', String(port), ...options]);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, text };
}

/** A program that goes on until the test ends, and its lines. */
function keep(peer: typeof pub, options: readonly string[]): { lines: string[]; child: ChildProcess } {
  const child = spawn(pathOf(peer), options, { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  createInterface(child.stderr).on('line', (line) => lines.push(line));
  ends.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return { lines, child };
}

function open(params: object): { connection: Connection; warned: string[] } {
  const warned: string[] = [];
  const log: DriverLog = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_facts, message) => void warned.push(message),
  };
  const connection = mqtt.openConnection(
    { timeoutMs: 200, ...params },
    { now: Date.now, log, dataDir: join(folder, 'driver') },
  );
  ends.push(() => connection.close());
  return { connection, warned };
}

const read = async (driver: Driver, address: string): Promise<unknown> => {
  try {
    const [sample] = await driver.read([point(address)], never);
    return sample?.value;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

withPeers(`mosquitto's clients at our broker${why && ` (no peer: ${why})`}`, () => {
  setUpTest();
  const login = ['-u', 'gate', '-P', tokenOf('gate')];
  let gate: Driver;
  let leak: Driver;
  let warned: string[];

  beforeEach(async () => {
    const opened = open({ port });
    ({ warned } = opened);
    gate = opened.connection.device(paramsOf('gate'));
    leak = opened.connection.device(paramsOf('leak'));
    await gate.connect(never).catch(() => undefined);
    await run(pub, ['-V', 'mqttv311', ...login, '-t', 'devices/gate/first', '-m', '1', '-q', '1']);
  });

  /** A device that stays. */
  const present = (): void =>
    void keep(sub, [
      '-h',
      host,
      '-p',
      String(port),
      '-V',
      'mqttv311',
      ...login,
      '-i',
      'stays',
      '-t',
      'devices/gate/cmd',
      '-q',
      '1',
      '-v',
    ]);

  test.each(['0', '1', '2'])('a message of QoS %s is read', async (qos) => {
    present();
    await expect.poll(() => read(gate, 'first'), patience).toBe(1);
    const sent = await run(pub, [
      '-V',
      'mqttv311',
      ...login,
      '-t',
      'devices/gate/state',
      '-m',
      '{"open":true}',
      '-q',
      qos,
    ]);
    expect(sent).toEqual({ code: 0, text: '' });
    await expect.poll(() => read(gate, 'state:/open'), patience).toBe(1);
  });

  test('what is retained is heard by who subscribes later', async () => {
    await run(pub, ['-V', 'mqttv311', ...login, '-t', 'devices/gate/state', '-m', 'kept', '-q', '1', '-r']);
    const heard = await run(sub, [
      '-V',
      'mqttv311',
      ...login,
      '-t',
      'devices/gate/state',
      '-C',
      '1',
      '-W',
      '10',
      '-q',
      '1',
    ]);
    expect(heard).toEqual({ code: 0, text: 'kept\n' });
  });

  test('a session that is not clean gets what it missed', async () => {
    const session = ['-V', 'mqttv311', ...login, '-i', 'display', '-c', '-q', '1', '-t', 'devices/gate/news'];
    await run(sub, [...session, '-E']);
    await run(pub, ['-V', 'mqttv311', ...login, '-t', 'devices/gate/news', '-m', 'missed', '-q', '1']);
    expect(await run(sub, [...session, '-C', '1', '-W', '10'])).toEqual({ code: 0, text: 'missed\n' });
  });

  test('a last will says that the device is gone', async () => {
    const will = [
      '--will-topic',
      'devices/gate/online',
      '--will-payload',
      '0',
      '--will-qos',
      '1',
      '--will-retain',
    ];
    const device = keep(sub, [
      '-h',
      host,
      '-p',
      String(port),
      '-V',
      'mqttv311',
      ...login,
      '-i',
      'will',
      '-t',
      'devices/gate/cmd',
      ...will,
    ]);
    await expect.poll(() => read(gate, 'first'), patience).toBe(1);
    const heard = keep(sub, [
      '-h',
      host,
      '-p',
      String(port),
      '-V',
      'mqttv311',
      ...login,
      '-i',
      'watch',
      '-t',
      'devices/gate/online',
      '-v',
    ]);
    await sleep(300);
    device.child.kill('SIGKILL');
    await expect.poll(() => heard.lines, patience).toEqual(['devices/gate/online 0']);
  });

  test('nobody comes in with a wrong token, tells for another or hears another', async () => {
    const wrong = await run(pub, [
      '-V',
      'mqttv311',
      '-u',
      'gate',
      '-P',
      'guess',
      '-t',
      'devices/gate/state',
      '-m',
      '1',
    ]);
    expect(wrong).toMatchObject({
      code: 4,
      text: expect.stringContaining('bad user name or password') as string,
    });
    await run(pub, [
      '-V',
      'mqttv311',
      ...login,
      '-t',
      'devices/leak/state',
      '-m',
      '{"leak":true}',
      '-q',
      '0',
    ]);
    await expect.poll(() => warned, patience).toContain('mqtt publish refused: not a topic of this device');
    expect(await read(leak, 'state:/leak')).toBe('lost');
    const spy = await run(sub, ['-V', 'mqttv311', ...login, '-t', '#', '-W', '3']);
    expect(spy.text).toMatch(/denied|not authorised/i);
  });

  test.each(['mosquitto_pub', 'the mqtt library'])(
    '%s with MQTT 5 is told so, and so is whoever looks for the device',
    async (peer) => {
      if (peer === 'mosquitto_pub') {
        const told = await run(pub, [
          '-V',
          'mqttv5',
          ...login,
          '-t',
          'devices/gate/state',
          '-m',
          '1',
          '-q',
          '1',
        ]);
        expect(told.code).not.toBe(0);
        expect(told.text).toMatch(/Unsupported Protocol Version/i);
      } else {
        const client = connect({
          host,
          port,
          username: 'gate',
          password: tokenOf('gate'),
          protocolVersion: 5,
          reconnectPeriod: 0,
        });
        const error = await new Promise((resolve) => client.once('error', resolve));
        await client.endAsync(true);
        expect(error).toMatchObject({
          code: 0x84,
          message: expect.stringMatching(/Unsupported protocol version/i) as string,
        });
      }
      expect(warned).toContain('mqtt 5 is not spoken here');
      await expect(gate.read([point('first')], never)).rejects.toMatchObject({
        code: 'lost',
        message:
          'the device is not connected: it speaks MQTT 5, which the gateway does not: set the device to MQTT 3.1.1 (protocol level 4)',
      });
    },
  );

  test('a command reaches a device, and its answer is the proof', async () => {
    const device = keep(sub, [
      '-h',
      host,
      '-p',
      String(port),
      '-V',
      'mqttv311',
      ...login,
      '-i',
      'obeys',
      '-t',
      'devices/gate/cmd',
      '-q',
      '1',
    ]);
    await expect.poll(() => read(gate, 'first'), patience).toBe(1);
    const order = { ref: point('state:/open -> cmd:/open'), value: 1 };
    // Until the client has subscribed nothing is sent.
    const written = (async (): Promise<unknown> => {
      for (;;) {
        const one: unknown = await gate.write!(order, never).catch((error: unknown) => error);
        if ((one as { code?: string }).code !== 'refused') return one;
        await sleep(100);
      }
    })();
    await expect.poll(() => device.lines.length, patience).toBeGreaterThan(0);
    expect(device.lines[0]).toBe('{"open":1}');
    await run(pub, ['-V', 'mqttv311', ...login, '-t', 'devices/gate/state', '-m', '{"open":1}', '-q', '1']);
    await expect(written).resolves.toMatchObject({ state: 'done', readBack: 1 });
  });

  test('a search lists who came, and who was turned away', async () => {
    const searched = open({ port: (port = await freePort()), timeoutMs: 20_000 }).connection;
    const stop = new AbortController();
    searched.device(paramsOf('gate'));
    const found: unknown[] = [];
    const searching = (async () => {
      for await (const { label, facts } of searched.discover!({}, stop.signal))
        found.push([label, facts['address'], facts['login'], facts['configured']]);
    })();
    await expect.poll(() => isOpen(port), patience).toBe(true);
    await run(pub, ['-V', 'mqttv311', ...login, '-t', 'devices/gate/state', '-m', '1']);
    await run(pub, ['-V', 'mqttv311', '-u', 'stranger', '-P', 'x', '-t', 'devices/gate/state', '-m', '1']);
    await expect.poll(() => found.length, patience).toBe(2);
    stop.abort();
    await searching;
    expect(found).toEqual([
      ['gate', '127.0.0.1', 'accepted', 'yes'],
      ['stranger', '127.0.0.1', 'refused: unknown user: add the device with its user name and token', 'no'],
    ]);
  });
});

withPeers('mosquitto over TLS', () => {
  setUpTest();
  let cert: string;
  let key: string;
  beforeAll(() => {
    expect(existsSync('/usr/bin/openssl')).toBe(true);
  });
  beforeEach(() => {
    [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        key,
        '-out',
        cert,
        ...subject,
      ],
      { stdio: 'ignore' },
    );
  });

  test('its client at our broker: encrypted, and not in the clear', async () => {
    const { connection } = open({ port, tls: { certFile: cert, keyFile: key } });
    const gate = connection.device(paramsOf('gate'));
    await gate.connect(never).catch(() => undefined);
    const login = [
      '-V',
      'mqttv311',
      '-u',
      'gate',
      '-P',
      tokenOf('gate'),
      '-t',
      'devices/gate/state',
      '-q',
      '1',
      '-m',
      '7',
    ];
    expect((await run(pub, [...login, '--cafile', cert])).code).toBe(0);
    expect((await run(pub, login)).code).not.toBe(0);
    keep(sub, [
      '-h',
      host,
      '-p',
      String(port),
      '-V',
      'mqttv311',
      '-u',
      'gate',
      '-P',
      tokenOf('gate'),
      '-t',
      'devices/gate/cmd',
      '--cafile',
      cert,
    ]);
    await expect.poll(() => read(gate, 'state'), patience).toBe(7);
  });

  test('our client at its broker, which it must know', async () => {
    await startMosquitto([
      'listener ' + String(port) + ' 127.0.0.1',
      `certfile ${cert}`,
      `keyfile ${key}`,
      'allow_anonymous true',
    ]);
    const trusted = open({
      mode: 'client',
      url: `mqtts://localhost:${port}`,
      clientId: 'gateway',
      caFile: cert,
      timeoutMs: 500,
    });
    const device = trusted.connection.device({ topic: 'plant/pump' });
    await run(pub, ['--cafile', cert, '-t', 'plant/pump/rpm', '-m', '1450', '-r']);
    await expect.poll(() => read(device, 'rpm'), patience).toBe(1450);
    const stranger = open({
      mode: 'client',
      url: `mqtts://localhost:${port}`,
      clientId: 'other',
      timeoutMs: 1_500,
    });
    const message = await stranger.connection
      .device({ topic: 'x' })
      .read([point('a')], never)
      .catch(String);
    expect(message).toMatch(/self-signed|unable to verify/);
  });
});

async function startMosquitto(lines: readonly string[]): Promise<() => Promise<void>> {
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(
    file,
    `${[...lines, 'persistence false', 'log_type error', `user ${process.getuid?.() === 0 ? 'root' : ''}`].join('\n')}\n`,
  );
  const { child, lines: said } = keep(broker, ['-c', file]);
  await expect.poll(() => isOpen(port), { ...patience, message: said.join('\n') }).toBe(true);
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
}

const isOpen = (to: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(to, host)
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .once('error', () => resolve(false));
  });

withPeers('our client at mosquitto', () => {
  setUpTest();

  test.each(['3.1.1', '5'])(
    'with MQTT %s hears what came while it was away, once it is back',
    async (protocol) => {
      await startMosquitto([`listener ${port} 127.0.0.1`, 'allow_anonymous true']);
      const params = {
        mode: 'client',
        url: `mqtt://${host}:${port}`,
        clientId: 'gateway',
        protocol,
        timeoutMs: 5_000,
      };
      const first = open(params);
      await first.connection.device({ topic: 'plant/pump' }).connect(never);
      await run(pub, ['-t', 'plant/pump/rpm', '-m', '1', '-q', '1']);
      await first.connection.close();
      await run(pub, ['-t', 'plant/pump/rpm', '-m', '2', '-q', '1']);
      await run(pub, ['-t', 'plant/pump/rpm', '-m', '3', '-q', '1']);
      const second = open(params).connection.device({ topic: 'plant/pump' });
      const values: (number | null)[] = [];
      const stop = new AbortController();
      const running = second.subscribe!([point('rpm')], ({ value }) => values.push(value), stop.signal);
      await expect.poll(() => values.slice(-2), patience).toEqual([2, 3]);
      stop.abort();
      await running;
    },
  );

  test('logs in with the password of a file', async () => {
    const passwords = join(folder, 'passwords');
    const tool = await findProgram('mosquitto_passwd');
    execFileSync(tool.ok ? tool.path : '', ['-b', '-c', passwords, 'gateway', 'secret'], { stdio: 'ignore' });
    await startMosquitto([
      `listener ${port} 127.0.0.1`,
      'allow_anonymous false',
      `password_file ${passwords}`,
    ]);
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, 'secret\n');
    const params = {
      mode: 'client',
      url: `mqtt://${host}:${port}`,
      clientId: 'gateway',
      username: 'gateway',
      timeoutMs: 1_500,
    };
    const device = open({ ...params, passwordFile }).connection.device({ topic: 'plant/pump' });
    await device.connect(never);
    const refused = open(params).connection.device({ topic: 'plant/pump' });
    const message = await refused.connect(never).catch(String);
    expect(message).toMatch(/Not authorized|Bad username or password/i);
    expect(readFileSync(passwordFile, 'utf8')).toBe('secret\n');
  });
});

/** mosquitto in the middle, the simulated devices at one end and the driver at the other. */
async function conformanceBench(): Promise<ConformanceBench> {
  folder = mkdtempSync(join(tmpdir(), 'parkline-interop-'));
  ends = [() => rmSync(folder, { recursive: true, force: true })];
  const bench = await startMqttBench(['gate-a-1']);
  ({ port } = bench.place);
  await startMosquitto([`listener ${port} 127.0.0.1`, 'allow_anonymous true']);
  const { connection } = open({
    mode: 'client',
    url: `mqtt://${host}:${port}`,
    clientId: 'gateway',
    timeoutMs: 3_000,
  });
  const driver = connection.device({ topic: 'devices/gate-a-1', maxAgeMs: 1_500 });
  const good = [
    { ref: point('state:/open', { kind: 'state' }), value: 1 },
    { ref: point('state:/count/in'), value: 4711 },
  ];
  return {
    ...{ driver, good, refused: point('state:/broken'), patienceMs: 10_000 },
    silence: async () => {
      bench.fault({ device: 'gate-a-1', fault: { kind: 'silence' } });
      await sleep(2_000);
    },
    speak: async () => bench.clear(),
    unplug: async () => {
      await bench.unplug();
      await expect.poll(() => read(driver, 'state:/open'), patience).toBe('lost');
    },
    plug: () => bench.plug(),
    tearDown: async () => {
      await bench.stop();
      for (const end of ends.toReversed()) await end();
    },
  };
}

withPeers('through mosquitto', () => {
  describeConformance('MQTT through mosquitto', conformanceBench);
});
