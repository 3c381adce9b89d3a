import type { Connection, DeviceEvent, Driver } from '@parkline/kit';
import { afterEach, expect, test } from 'vitest';
import { type BacnetBench, type BacnetBenchDevice, startBacnetBench } from '../../../tests/support/bacnet.ts';
import { createUdpRelay } from '../../../tests/support/udp-relay.ts';
import { runAlarms } from './alarms.ts';
import { fixedClock } from './device-clock.ts';
import type { EventNotification, EventSummary } from './event-service.ts';
import type { Link } from './link.ts';
import { connectionTo, gauge, never, quietLog } from './testing.ts';

let bench: BacnetBench;
let connection: Connection;
let stop: AbortController;
let running: Promise<void>;
const told: DeviceEvent[] = [];
afterEach(async () => {
  stop.abort();
  await running;
  await connection.close();
  await bench.stop();
});

const alarms = ['AI-1', 'AI-2'].map((of) => ({ of, high: 30, low: 10 }));
async function start(params: object = {}, traits: BacnetBenchDevice['traits'] = {}): Promise<Driver> {
  bench = await startBacnetBench([
    { instance: 5, objects: { 'AI-1': 20, 'AI-2': 20 }, traits: { alarms, utcOffsetMin: 480, ...traits } },
  ]);
  connection = connectionTo(bench.place, { timeoutMs: 1_000 });
  const driver = connection.device({ device: 5, ...params });
  watch(driver);
  return driver;
}
function watch(driver: Driver): void {
  stop = new AbortController();
  told.length = 0;
  running = driver.watchEvents!((event) => told.push(event), stop.signal);
}
const states = () => told.map(({ address, state, text }) => [address, state, text]);
const untilTold = (...expected: string[][]) => expect.poll(states, { timeout: 10_000 }).toEqual(expected);
const list = async (driver: Driver) => (await driver.read([gauge('15,1,102')], never()))[0]?.why; // 'no value' while the list is empty.

test('the device tells alarms as they come, by its own clock and words, each once', async () => {
  const driver = await start({ alarmPollS: 600 });
  await expect.poll(() => list(driver), { timeout: 10_000 }).toBe('a list is no number');
  const before = Date.now();
  bench.show(5, 'AI-1', 35);
  await untilTold(['analog-input,1', 'alarm', 'high limit exceeded']);
  expect(Math.abs(told[0]!.at - before)).toBeLessThan(5_000);
  bench.show(5, 'AI-1', 5);
  bench.show(5, 'AI-1', 20);
  await expect.poll(() => told.at(-1)?.state, { timeout: 10_000 }).toBe('normal');
  stop.abort();
  await running;
  expect(await list(driver)).toBe('no value');
});

test('what is not normal at the start is told, and what was missed is found', async () => {
  await start({ alarms: 'poll', alarmPollS: 0.3 });
  bench.show(5, 'AI-1', 35);
  bench.show(5, 'AI-2', 5);
  await expect
    .poll(() => states().toSorted(), { timeout: 10_000 })
    .toEqual([
      ['analog-input,1', 'alarm', 'high limit'],
      ['analog-input,2', 'alarm', 'low limit'],
    ]);
  bench.show(5, 'AI-1', 20);
  await expect.poll(() => told.length, { timeout: 10_000 }).toBe(3);
  expect(told.at(-1)).toMatchObject({ address: 'analog-input,1', state: 'normal' });
  await new Promise((resolve) => setTimeout(resolve, 800));
  expect(told).toHaveLength(3);
});

test('a device that takes nobody on its list is polled', async () => {
  await start({ alarmPollS: 0.3 }, { recipients: 'closed' });
  bench.show(5, 'AI-1', 35);
  await untilTold(['analog-input,1', 'alarm', 'high limit']);
});

test('answers in many pages are read to the end', async () => {
  const objects = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`AI-${n + 1}`, 99]));
  bench = await startBacnetBench([
    {
      instance: 5,
      objects,
      traits: { maxApdu: 206, alarms: Object.keys(objects).map((of) => ({ of, high: 30, low: 10 })) },
    },
  ]);
  connection = connectionTo(bench.place, { timeoutMs: 1_000 });
  watch(connection.device({ device: 5, alarms: 'poll', alarmPollS: 0.3 }));
  await expect.poll(() => new Set(told.map(({ address }) => address)).size, { timeout: 10_000 }).toBe(60);
  expect(told).toHaveLength(60);
});

test('a device without alarms is left in peace, and ends with the signal', async () => {
  await start({ alarmPollS: 0.2 }, { alarms: [] });
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(told).toEqual([]);
});

test('a device that is away when the watch begins is watched when it is there', async () => {
  const driver = await start({ alarms: 'poll', alarmPollS: 0.3 });
  stop.abort();
  await running;
  await bench.unplug();
  watch(driver);
  bench.show(5, 'AI-1', 35);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await bench.plug();
  await untilTold(['analog-input,1', 'alarm', 'high limit']);
}, 30_000);

test('confirmed notifications are acknowledged, and those of another device are not ours', async () => {
  await start({ alarms: 'poll', alarmPollS: 600 });
  const relay = await createUdpRelay(bench.place);
  const other = connectionTo(relay.place, { timeoutMs: 1_000 });
  const driver = other.device({ device: 5, alarms: 'poll', alarmPollS: 600 });
  const heard: DeviceEvent[] = [];
  const end = new AbortController();
  const watching = driver.watchEvents!((event) => heard.push(event), end.signal);
  const sent: string[] = [];
  relay.overhear = (datagram) => void sent.push(datagram.subarray(6).toString('hex'));
  await expect.poll(() => sent.some((apdu) => apdu.slice(6, 8) === '1d'), { timeout: 10_000 }).toBe(true); // GetEventInformation.
  const notification = (invokeId: number, device: number) =>
    Buffer.from(
      `810a003b010400 05 ${invokeId.toString(16).padStart(2, '0')} 02 0901 1c020000${device.toString(16).padStart(2, '0')} 2c00000001 3e 2e a47e0b1607 b40a000000 2f 3f 4901 5964 6905 7d0500486f6c61 8900 9900 a900 b903`.replaceAll(
        ' ',
        '',
      ),
      'hex',
    );
  const whole = (datagram: Buffer) => {
    datagram.writeUInt16BE(datagram.length, 2);
    return datagram;
  };
  sent.length = 0;
  relay.say(whole(notification(9, 5)));
  relay.say(whole(notification(9, 5)));
  relay.say(whole(notification(10, 6)));
  await expect.poll(() => sent.length, { timeout: 5_000 }).toBe(3);
  expect(sent).toEqual(['200902', '200902', '500a0291059 11d'.replace(' ', '')]);
  expect(heard.map(({ address, state, text }) => [address, state, text])).toEqual([
    ['analog-input,1', 'alarm', 'Hola'],
  ]);
  expect(heard[0]!.at).toBe(Date.UTC(2026, 10, 22, 2)); // 10:00 by a clock 8 hours ahead.
  end.abort();
  await watching;
  await other.close();
  await relay.stop();
});

test('an alarm of a device whose clock was set back is told all the same, once', async () => {
  await start({ alarms: 'poll', alarmPollS: 600 });
  const noon = Date.UTC(2026, 10, 22, 12);
  const object = { type: 0, instance: 1 };
  let hear: ((event: EventNotification) => boolean) | undefined;
  let events: EventSummary[] = [];
  const link = {
    onReturn: () => () => undefined,
    onEvent: (listener: typeof hear) => {
      hear = listener;
      return () => undefined;
    },
    ask: () => Promise.resolve({ events, hasMore: false }),
  } as unknown as Link;
  const heard: DeviceEvent[] = [];
  const end = new AbortController();
  const deps = {
    ...{ link, instance: 5, isSubscribing: false, pollMs: 20, timeoutMs: 100, now: Date.now, log: quietLog },
    recipient: () => Promise.resolve(undefined),
    clock: () => Promise.resolve(fixedClock(0)),
  };
  const over = runAlarms(deps, (event) => heard.push(event), end.signal);
  await expect.poll(() => hear).toBeDefined();
  const notification = { device: 5, object, local: noon, notifyType: 0, text: 'high' };
  hear!({ ...notification, toState: 3 });
  hear!({ ...notification, toState: 0, local: noon + 1 });
  events = [{ object, state: 3, local: [noon - 3_600_000, undefined, undefined] }];
  await expect.poll(() => heard.length).toBe(3);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(heard.map(({ state, at }) => [state, at - noon])).toEqual([
    ['alarm', 0],
    ['normal', 1],
    ['alarm', -3_600_000],
  ]);
  end.abort();
  await over;
});
