import type { MqttClient } from 'mqtt';
import type { Driver } from '@parkline/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort, mqttClient, paramsOf, tokenOf } from '../../../tests/support/mqtt.ts';
import { connectionTo, never, point } from './testing.ts';

const host = '127.0.0.1';
const patience = { timeout: 10_000 };
const CONFIRM_MS = 1_500;
const open = point('state:/open -> cmd/barrier:/open', { kind: 'state' });

let port: number;
let driver: Driver;
let device: MqttClient;
/** What reached the device. */
let commands: string[];
/** What the device does with a command. */
let obey: (command: { open?: unknown }) => void;
let ends: (() => Promise<unknown>)[];

const tell = (state: object): Promise<unknown> =>
  device.publishAsync('devices/gate/state', JSON.stringify(state), { qos: 1 });

async function come(over: object = {}): Promise<MqttClient> {
  const made = await mqttClient({
    host,
    port,
    username: 'gate',
    password: tokenOf('gate'),
    clientId: 'g',
    ...over,
  });
  made.on('message', (topic, payload) => {
    commands.push(`${topic} ${payload.toString()}`);
    obey(JSON.parse(payload.toString()) as { open?: unknown });
  });
  ends.push(() => made.endAsync(true));
  return made;
}

beforeEach(async () => {
  port = await freePort();
  const connection = connectionTo({ port, timeoutMs: 50 });
  driver = connection.device({ ...paramsOf('gate'), confirmMs: CONFIRM_MS });
  ends = [() => connection.close()];
  commands = [];
  obey = ({ open: wanted }) => void tell({ open: wanted });
  await driver.connect(never()).catch(() => undefined);
  device = await come();
  await tell({ open: false });
  await expect.poll(() => valueNow(), patience).toBe(0);
});
afterEach(async () => {
  for (const end of ends.toReversed()) await end();
});

const valueNow = async (): Promise<unknown> => (await driver.read([open], never()))[0]?.value;

describe('a write', () => {
  beforeEach(() => device.subscribeAsync('devices/gate/cmd/#', { qos: 1 }));

  test('is a message in the way the device speaks, and done when its state shows it', async () => {
    const written = await driver.write!({ ref: open, value: 1 }, never());
    expect(written).toMatchObject({ state: 'done', readBack: 1 });
    expect(commands).toEqual(['devices/gate/cmd/barrier {"open":true}']);
    expect(await valueNow()).toBe(1);
  });

  test('null gives the point back', async () => {
    obey = () => void tell({ open: false });
    const written = await driver.write!({ ref: open, value: null }, never());
    expect([written.state, written.readBack, commands]).toEqual([
      'done',
      0,
      ['devices/gate/cmd/barrier {"open":null}'],
    ]);
  });

  test('differs when the device goes on showing another value', async () => {
    obey = () => void tell({ open: false });
    await expect(driver.write!({ ref: open, value: 1 }, never())).resolves.toMatchObject({
      state: 'differs',
      readBack: 0,
    });
  });

  test('is a time-out when the device acknowledges and shows nothing, and says so', async () => {
    obey = () => undefined;
    await expect(driver.write!({ ref: open, value: 1 }, never())).rejects.toMatchObject({
      code: 'timeout',
      message: `the device acknowledged it and told nothing of state for ${CONFIRM_MS} ms`,
    });
  });

  test('of what the device shows already is done, though it tells only changes', async () => {
    obey = () => undefined;
    await expect(driver.write!({ ref: open, value: 0 }, never())).resolves.toMatchObject({
      state: 'done',
      readBack: 0,
      detail: 'the device acknowledged it and shows no change',
    });
  });

  test('a value that true and false cannot say is refused before anything is sent', async () => {
    await expect(driver.write!({ ref: open, value: 2 }, never())).rejects.toMatchObject({ code: 'config' });
    const readOnly = point('state:/open');
    await expect(driver.write!({ ref: readOnly, value: 1 }, never())).rejects.toMatchObject({
      code: 'config',
    });
    expect(commands).toEqual([]);
  });

  test('an abort ends the wait', async () => {
    obey = () => undefined;
    const stop = new AbortController();
    const writing = driver.write!({ ref: open, value: 1 }, stop.signal);
    await expect.poll(() => commands.length, patience).toBe(1);
    stop.abort();
    await expect(writing).rejects.toMatchObject({ code: 'aborted' });
  });
});

test('nothing is sent to a device that does not listen, or is not there', async () => {
  await expect(driver.write!({ ref: open, value: 1 }, never())).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('subscribed to devices/gate/cmd/barrier') as string,
  });
  await device.endAsync(true);
  await expect.poll(() => valueNow().catch(({ code }: { code: string }) => code), patience).toBe('lost');
  await expect(driver.write!({ ref: open, value: 1 }, never())).rejects.toMatchObject({ code: 'lost' });
});

test('a device with a session of its own never gets a command late', async () => {
  const sleeper = await come({ clientId: 'sleeper', clean: false });
  await sleeper.subscribeAsync('devices/gate/cmd/#', { qos: 1 });
  await sleeper.endAsync(true);
  // Until the broker has noticed that it is gone, a command is sent and waits for its time at most.
  const outcome = (): Promise<unknown> =>
    driver.write!({ ref: open, value: 1 }, never()).catch(({ code }: { code: string }) => code);
  await expect.poll(outcome, patience).toBe('refused');
  const back = await come({ clientId: 'sleeper', clean: false });
  await back.subscribeAsync('devices/gate/echo', { qos: 1 });
  obey = () => undefined;
  await device.publishAsync('devices/gate/echo', '{}', { qos: 1 });
  await expect.poll(() => commands, patience).toEqual(['devices/gate/echo {}']);
});

test('browse says what can be written in no address: a command is declared', async () => {
  const found = [];
  for await (const one of driver.browse(never()))
    found.push([one.address, one.writable, one.facts?.['value']]);
  expect(found).toEqual([['state:/open', false, 'false']]);
});
