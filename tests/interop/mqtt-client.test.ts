// The MQTT driver as a client of mosquitto.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConformanceBench, describeConformance } from '@parkline/kit/conformance';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startMqttBench } from '../support/mqtt.ts';
import {
  createMosquittoBench,
  describeWithMosquitto,
  host,
  type MosquittoBench,
  never,
  pathOf,
  patience,
  point,
  read,
} from './mosquitto.ts';

describeWithMosquitto('our client at mosquitto', () => {
  let bench: MosquittoBench;
  let params: object;

  beforeEach(async () => {
    bench = await createMosquittoBench();
    params = { mode: 'client', url: `mqtt://${host}:${bench.port}`, clientId: 'gateway' };
  });
  afterEach(() => bench.end());

  test.each(['3.1.1', '5'])(
    'with MQTT %s hears what came while it was away, once it is back',
    async (protocol) => {
      await bench.startBroker('allow_anonymous true');
      const spoken = { ...params, protocol, timeoutMs: 5_000 };
      const tell = (rpm: number) => bench.run('mosquitto_pub', `-t plant/pump/rpm -m ${rpm} -q 1`);
      const first = bench.open(spoken).connection;
      await first.device({ topic: 'plant/pump' }).connect(never);
      await tell(1);
      await first.close();
      await tell(2);
      await tell(3);
      const second = bench.open(spoken).connection.device({ topic: 'plant/pump' });
      const values: (number | null)[] = [];
      const stop = new AbortController();
      const running = second.subscribe!([point('rpm')], ({ value }) => values.push(value), stop.signal);
      await expect.poll(() => values.slice(-2), patience).toEqual([2, 3]);
      stop.abort();
      await running;
    },
  );

  test('logs in with the password of a file', async () => {
    const passwords = join(bench.folder, 'passwords');
    const how = ['-b', '-c', passwords, 'gateway', 'secret'];
    execFileSync(pathOf('mosquitto_passwd'), how, { stdio: 'ignore' });
    await bench.startBroker('allow_anonymous false', `password_file ${passwords}`);
    const passwordFile = join(bench.folder, 'password');
    writeFileSync(passwordFile, 'secret\n');
    const known = { ...params, username: 'gateway', timeoutMs: 1_500 };
    const device = bench.open({ ...known, passwordFile }).connection.device({ topic: 'plant/pump' });
    await device.connect(never);
    const refused = bench.open(known).connection.device({ topic: 'plant/pump' });
    const message = await refused.connect(never).catch(String);
    expect(message).toMatch(/Not authorized|Bad username or password/i);
    expect(readFileSync(passwordFile, 'utf8')).toBe('secret\n');
  });
});

/** mosquitto in the middle, the simulated devices at one end and the driver at the other. */
async function conformanceBench(): Promise<ConformanceBench> {
  const devices = await startMqttBench(['gate-a-1']);
  const bench = await createMosquittoBench(devices.place.port);
  await bench.startBroker('allow_anonymous true');
  const { connection } = bench.open({
    mode: 'client',
    url: `mqtt://${host}:${bench.port}`,
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
      devices.fault({ device: 'gate-a-1', fault: { kind: 'silence' } });
      await sleep(2_000); // Longer than the driver believes what was told last.
    },
    speak: async () => devices.clear(),
    unplug: async () => {
      await devices.unplug();
      await expect.poll(() => read(driver, 'state:/open'), patience).toBe('lost');
    },
    plug: () => devices.plug(),
    tearDown: async () => {
      await devices.stop();
      await bench.end();
    },
  };
}

describeWithMosquitto('through mosquitto', () => {
  describeConformance('MQTT through mosquitto', conformanceBench);
});
