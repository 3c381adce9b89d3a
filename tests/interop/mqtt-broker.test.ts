// mosquitto's clients at the broker of the MQTT driver.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from '@parkline/kit';
import { connect } from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { paramsOf, tokenOf } from '../support/mqtt.ts';
import {
  createMosquittoBench,
  describeWithMosquitto,
  host,
  isOpen,
  type Kept,
  type MosquittoBench,
  never,
  patience,
  point,
  read,
} from './mosquitto.ts';

const login = `-V mqttv311 -u gate -P ${tokenOf('gate')}`;

describeWithMosquitto(`mosquitto's clients at our broker`, () => {
  let bench: MosquittoBench;
  let gate: Driver;
  let leak: Driver;
  let warned: readonly string[];

  beforeEach(async () => {
    bench = await createMosquittoBench();
    const opened = bench.open({ port: bench.port });
    ({ warned } = opened);
    gate = opened.connection.device(paramsOf('gate'));
    leak = opened.connection.device(paramsOf('leak'));
    await gate.connect(never).catch(() => undefined);
    await tell('first', '1');
  });
  afterEach(() => bench.end());

  const tell = (topic: string, message: string, options = '-q 1') =>
    bench.run('mosquitto_pub', `${login} -t devices/gate/${topic} -m ${message} ${options}`);
  /** A device that stays, by its client identifier. */
  const stay = (id: string, options = ''): Kept =>
    bench.keep('mosquitto_sub', `${login} -i ${id} -t devices/gate/cmd -q 1${options}`);

  test.each(['0', '1', '2'])('a message of QoS %s is read', async (qos) => {
    stay('stays');
    await expect.poll(() => read(gate, 'first'), patience).toBe(1);
    expect(await tell('state', '{"open":true}', `-q ${qos}`)).toEqual({ code: 0, text: '' });
    await expect.poll(() => read(gate, 'state:/open'), patience).toBe(1);
  });

  test('what is retained is heard by who subscribes later', async () => {
    await tell('state', 'kept', '-q 1 -r');
    const heard = await bench.run('mosquitto_sub', `${login} -t devices/gate/state -C 1 -W 10 -q 1`);
    expect(heard).toEqual({ code: 0, text: 'kept\n' });
  });

  test('a session that is not clean gets what it missed', async () => {
    const session = `${login} -i display -c -q 1 -t devices/gate/news`;
    await bench.run('mosquitto_sub', `${session} -E`);
    await tell('news', 'missed');
    const heard = await bench.run('mosquitto_sub', `${session} -C 1 -W 10`);
    expect(heard).toEqual({ code: 0, text: 'missed\n' });
  });

  test('a last will says that the device is gone', async () => {
    const will = ' --will-topic devices/gate/online --will-payload 0 --will-qos 1 --will-retain';
    // Retained, so that it is heard whenever the listener comes.
    const listener = `${login} -i watch -t devices/gate/online -v -C 1 -W 2`;
    /** Killed before it is in, a device leaves no will: then it is tried again, with more time. */
    let stays = 500;
    const killAndHear = async (): Promise<string> => {
      const device = stay('will', will);
      await new Promise((resolve) => setTimeout(resolve, (stays *= 2)));
      device.child.kill('SIGKILL');
      return (await bench.run('mosquitto_sub', listener)).text;
    };
    await expect.poll(killAndHear, { timeout: 18_000 }).toBe('devices/gate/online 0\n');
  });

  test('nobody comes in with a wrong token, tells for another or hears another', async () => {
    const wrong = await bench.run('mosquitto_pub', `-V mqttv311 -u gate -P guess -t devices/gate/state -m 1`);
    expect(wrong).toMatchObject({
      code: 4,
      text: expect.stringContaining('bad user name or password') as string,
    });
    await bench.run('mosquitto_pub', `${login} -t devices/leak/state -m {"leak":true} -q 0`);
    await expect.poll(() => warned, patience).toContain('mqtt publish refused: not a topic of this device');
    expect(await read(leak, 'state:/leak')).toBe('lost');
    const spy = await bench.run('mosquitto_sub', `${login} -t # -W 3`);
    expect(spy.text).toMatch(/denied|not authorised/i);
  });

  async function expectRefusal(): Promise<void> {
    expect(warned).toContain('mqtt 5 is not spoken here');
    await expect(gate.read([point('first')], never)).rejects.toMatchObject({
      code: 'lost',
      message:
        'the device is not connected: it speaks MQTT 5, which the gateway does not: set the device to MQTT 3.1.1 (protocol level 4)',
    });
  }

  test('mosquitto_pub with MQTT 5 is told so, and so is whoever looks for the device', async () => {
    const told = await tell('state', '1', '-q 1 -V mqttv5');
    expect(told.code).not.toBe(0);
    expect(told.text).toMatch(/Unsupported Protocol Version/i);
    await expectRefusal();
  });

  test('the mqtt library with MQTT 5 is told so, and so is whoever looks for the device', async () => {
    const place = { host, port: bench.port, username: 'gate', password: tokenOf('gate') };
    const client = connect({ ...place, protocolVersion: 5, reconnectPeriod: 0 });
    const error = await new Promise((resolve) => client.once('error', resolve));
    await client.endAsync(true);
    expect(error).toMatchObject({
      code: 0x84,
      message: expect.stringMatching(/Unsupported protocol version/i) as string,
    });
    await expectRefusal();
  });

  test('a command reaches a device, and its answer is the proof', async () => {
    const device = stay('obeys');
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
    await tell('state', '{"open":1}');
    await expect(written).resolves.toMatchObject({ state: 'done', readBack: 1 });
  });
});

describeWithMosquitto('a search at our broker', () => {
  test('lists who came, and who was turned away', async () => {
    const bench = await createMosquittoBench();
    const { connection } = bench.open({ port: bench.port, timeoutMs: 20_000 });
    const stop = new AbortController();
    connection.device(paramsOf('gate'));
    const found: unknown[] = [];
    const searching = (async () => {
      for await (const { label, facts } of connection.discover!({}, stop.signal))
        found.push([label, facts['address'], facts['login'], facts['configured']]);
    })();
    await expect.poll(() => isOpen(bench.port), patience).toBe(true);
    await bench.run('mosquitto_pub', `${login} -t devices/gate/state -m 1`);
    await bench.run('mosquitto_pub', '-V mqttv311 -u stranger -P x -t devices/gate/state -m 1');
    await expect.poll(() => found.length, patience).toBe(2);
    stop.abort();
    await searching;
    await bench.end();
    expect(found).toEqual([
      ['gate', '127.0.0.1', 'accepted', 'yes'],
      ['stranger', '127.0.0.1', 'refused: unknown user: add the device with its user name and token', 'no'],
    ]);
  });
});
