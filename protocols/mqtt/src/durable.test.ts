import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import type { Sample } from '@parkline/kit';
import type { MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort, mqttClient, paramsOf, tokenOf } from '../../../tests/support/mqtt.ts';
import { connectionTo, never, point, quietLog, scratchFolder } from './testing.ts';

const host = '127.0.0.1';
const patience = { timeout: 15_000 };

let port: number;
let dataDir: string;
let ends: (() => Promise<unknown>)[];

beforeEach(async () => {
  port = await freePort();
  dataDir = scratchFolder();
  ends = [];
});
afterEach(async () => {
  for (const end of ends.toReversed()) await end();
});

async function client(over: Parameters<typeof mqttClient>[0] = {}): Promise<MqttClient> {
  const made = await mqttClient({ host, port, username: 'gate', password: tokenOf('gate'), ...over });
  ends.push(() => made.endAsync(true));
  return made;
}

/** A broker in this process, on the folder of the test. */
async function broker(over: object = {}) {
  const connection = connectionTo({ port, timeoutMs: 50, ...over }, quietLog, dataDir);
  const driver = connection.device(paramsOf('gate'));
  const leak = connection.device(paramsOf('leak'));
  await driver.connect(never()).catch(() => undefined); // Nobody is there yet; the port is open.
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await connection.close();
    isOpen = false;
  };
  ends.push(close);
  return { driver, leak, close, discover: () => connection.discover!({}, never()) };
}

/** A broker in a process that can be killed, and what its subscriber was told. */
async function process_(what: 'subscribe' | 'idle') {
  const { username, passwordSha256 } = paramsOf('gate');
  const script = join(import.meta.dirname, 'listen-forever.ts');
  const child: ChildProcess = spawn(
    process.execPath,
    [script, String(port), dataDir, username, passwordSha256, what],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const told: Pick<Sample, 'at' | 'value'>[] = [];
  const lines = createInterface(child.stdout!);
  const first = once(lines, 'line');
  lines.on('line', (line) => {
    const said = JSON.parse(line) as { value?: number; at?: number };
    if (said.value !== undefined) told.push(said as Sample);
  });
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  ends.push(kill);
  await first;
  return { told, kill };
}

describe('after kill -9 of the gateway', () => {
  test('everything that a device got a PUBACK for arrives, with the time it was told at', async () => {
    const before = await process_('idle'); // Passes nothing on.
    const acknowledged: number[] = [];
    const device = await client();
    let counter = 0;
    const send = async (): Promise<void> => {
      for (;;) {
        const mine = (counter += 1);
        await device.publishAsync('devices/gate/count', String(mine), { qos: 1, retain: true });
        acknowledged.push(mine);
      }
    };
    const senders = Array.from({ length: 8 }, () => send().catch(() => undefined));
    await expect.poll(() => acknowledged.length, patience).toBeGreaterThan(200);
    const killedAt = Date.now();
    await before.kill();
    await device.endAsync(true);
    await Promise.race(senders);

    const after = await process_('subscribe');
    await expect
      .poll(() => {
        const arrived = new Set(after.told.map(({ value }) => value));
        return acknowledged.filter((one) => !arrived.has(one));
      }, patience)
      .toEqual([]);
    expect(after.told.every(({ at }) => at <= killedAt + 1_000)).toBe(true);
    const order = after.told.map(({ at }) => at);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  }, 60_000);

  test('what was passed on a moment before comes once more, the same: it was in memory there', async () => {
    const before = await process_('subscribe');
    const device = await client();
    for (let count = 1; count <= 5; count += 1)
      await device.publishAsync('devices/gate/count', String(count), { qos: 1 });
    await expect.poll(() => before.told.map(({ value }) => value), patience).toEqual([1, 2, 3, 4, 5]);
    await before.kill();
    await device.endAsync(true);
    const after = await process_('subscribe');
    await expect.poll(() => after.told, patience).toEqual(before.told);
  }, 60_000);

  test('retained messages are there, and a remembered client gets what came while it was away', async () => {
    const first = await process_('subscribe');
    const display = await client({ clientId: 'display', clean: false });
    await display.subscribeAsync('devices/gate/#', { qos: 1 });
    await display.endAsync(true);
    const device = await client();
    for (const count of ['1', '2', '3'])
      await device.publishAsync('devices/gate/count', count, { qos: 1, retain: true });
    await expect.poll(() => first.told.length, patience).toBe(3);
    await first.kill();
    await device.endAsync(true);

    await process_('subscribe');
    const heard: string[] = [];
    const back = await mqttClientListening({ clientId: 'display', clean: false }, heard);
    await expect.poll(() => [...new Set(heard)], patience).toEqual(['1', '2', '3']);
    await back.endAsync(true);
    const fresh: string[] = [];
    const stranger = await mqttClientListening({ clientId: 'other' }, fresh);
    await stranger.subscribeAsync('devices/gate/#', { qos: 1 });
    await expect.poll(() => fresh, patience).toEqual(['3']);
  }, 60_000);
});

/** A client that listens from the first moment: what waited for it comes right behind the CONNACK. */
async function mqttClientListening(
  over: Parameters<typeof mqttClient>[0],
  heard: string[],
): Promise<MqttClient> {
  const { connect } = await import('mqtt');
  const made = connect({
    ...{ host, port, username: 'gate', password: tokenOf('gate'), protocolVersion: 4, reconnectPeriod: 0 },
    ...over,
  });
  made.on('message', (_topic, payload) => heard.push(payload.toString()));
  ends.push(() => made.endAsync(true));
  await new Promise((resolve) => made.once('connect', resolve));
  return made;
}

describe('after a restart', () => {
  test('what is retained stands as uncertain when the device is back, until it tells again', async () => {
    const first = await broker();
    const device = await client();
    await device.publishAsync('devices/gate/state', '{"open":true}', { qos: 1, retain: true });
    await expect.poll(() => read(first), patience).toEqual([[1, 'good']]);
    await device.endAsync(true);
    await first.close();

    const second = await broker();
    const again = await client();
    await expect.poll(() => read(second), patience).toEqual([[1, 'uncertain']]);
    await again.publishAsync('devices/gate/state', '{"open":false}', { qos: 1, retain: true });
    await expect.poll(() => read(second), patience).toEqual([[0, 'good']]);
  });

  test('no remembered client hears what it may not: a refused subscription is not remembered either', async () => {
    const first = await broker();
    const spy = await client({ clientId: 'spy', clean: false });
    await expect(spy.subscribeAsync(['devices/gate/#', '#', 'devices/leak/#'], { qos: 1 })).rejects.toThrow();
    await spy.endAsync(true);
    await first.close();
    await broker();
    const leak = await client({ username: 'leak', password: tokenOf('leak') });
    await leak.publishAsync('devices/leak/state', '"secret"', { qos: 1 });
    const gate = await client();
    await gate.publishAsync('devices/gate/state', '"own"', { qos: 1 });
    const heard: string[] = [];
    await mqttClientListening({ clientId: 'spy', clean: false }, heard);
    await expect.poll(() => [...new Set(heard)], patience).toEqual(['"own"']); // Once at least.
  });

  test('a client that wants a clean session gets one, and its old one is gone', async () => {
    await broker();
    const display = await client({ clientId: 'display', clean: false });
    await display.subscribeAsync('devices/gate/#', { qos: 1 });
    await display.endAsync(true);
    const clean = await client({ clientId: 'display', clean: true });
    await clean.endAsync(true);
    const device = await client();
    await device.publishAsync('devices/gate/state', '1', { qos: 1 });
    const heard: string[] = [];
    const back = await mqttClientListening({ clientId: 'display', clean: false }, heard);
    await back.subscribeAsync('devices/gate/echo', { qos: 1 });
    await device.publishAsync('devices/gate/echo', '2', { qos: 1 });
    await expect.poll(() => heard, patience).toEqual(['2']);
  });

  test('a device cannot leave sessions behind without end, nor messages for them', async () => {
    const { close } = await broker({ maxMessagesPerSecond: 10_000 });
    for (const clientId of ['1', '2', '3', '4', '5', '6']) {
      const one = await client({ clientId, clean: false });
      await one.subscribeAsync('devices/gate/#', { qos: 1 });
      await one.endAsync(true);
    }
    const device = await client();
    const sending = Array.from({ length: 1_100 }, (_, n) =>
      device.publishAsync('devices/gate/count', String(n), { qos: 1 }),
    );
    await Promise.all(sending);
    await device.endAsync(true);
    await close();
    const db = new DatabaseSync(join(dataDir, 'mqtt.sqlite'));
    const clients = db.prepare('SELECT DISTINCT client FROM subscription ORDER BY client').all();
    expect(clients.map((row) => row['client'])).toEqual(['gate/3', 'gate/4', 'gate/5', 'gate/6']);
    const most = db
      .prepare('SELECT max(n) AS most FROM (SELECT count(*) AS n FROM outgoing GROUP BY client)')
      .get();
    expect(Number(most?.['most'])).toBeLessThanOrEqual(1_000);
    db.close();
  }, 60_000);

  test('a damaged store is put aside and begun anew', async () => {
    writeFileSync(
      join(dataDir, 'mqtt.sqlite'),
      'no database at all, but long enough to be looked at'.repeat(40),
    );
    const first = await broker();
    const device = await client();
    await device.publishAsync('devices/gate/state', '{"open":true}', { qos: 1 });
    await expect.poll(() => read(first), patience).toEqual([[1, 'good']]);
  });
});

async function read({ driver }: Awaited<ReturnType<typeof broker>>): Promise<unknown> {
  try {
    const samples = await driver.read([point('state:/open')], never());
    return samples.map(({ value, quality }) => [value, quality]);
  } catch (error) {
    return error;
  }
}
