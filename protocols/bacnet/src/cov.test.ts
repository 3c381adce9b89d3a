import { type Connection, type Driver, DriverError, type Sample } from '@parkline/kit';
import { afterEach, expect, test } from 'vitest';
import { type BacnetBench, type BacnetBenchDevice, startBacnetBench } from '../../../tests/support/bacnet.ts';
import { runCov } from './cov.ts';
import type { Link } from './link.ts';
import { Refusal } from './refusal.ts';
import { connectionTo, gauge, never, quietLog } from './testing.ts';

let bench: BacnetBench;
let connection: Connection;
let stop: AbortController;
let running: Promise<void>;
const told: Sample[] = [];
afterEach(async () => {
  stop.abort();
  await running;
  await connection.close();
  await bench.stop();
});

async function start(params: object, traits: NonNullable<BacnetBenchDevice['traits']> = {}): Promise<Driver> {
  bench = await startBacnetBench([{ instance: 5, objects: { 'AI-1': 20, 'BI-1': 0 }, traits }]);
  connection = connectionTo(bench.place);
  const driver = connection.device({ device: 5, ...params });
  stop = new AbortController();
  told.length = 0;
  const refs = [gauge('analog-input,1'), gauge('binary-input,1'), gauge('analog-input,1,cov-increment')];
  running = driver.subscribe!(refs, (sample) => told.push(sample), stop.signal);
  return driver;
}

const last = (pointId: string) => told.findLast((sample) => sample.pointId === pointId);
const untilShown = (pointId: string, value: number | null) =>
  expect.poll(() => last(pointId)?.value, { timeout: 10_000 }).toBe(value);

test.each(['confirmed', 'unconfirmed'])('changes are told, %s, and faults with them', async (cov) => {
  await start({ cov });
  await untilShown('analog-input,1', 20);
  await untilShown('binary-input,1', 0);
  bench.show(5, 'AI-1', 20.4);
  bench.show(5, 'BI-1', 1);
  await untilShown('binary-input,1', 1);
  expect(last('analog-input,1')?.value).toBe(20); // Less than the increment of 0.5.
  bench.show(5, 'AI-1', NaN);
  await untilShown('analog-input,1', null);
  expect(last('analog-input,1')).toMatchObject({ quality: 'bad', why: 'fault' });
  expect(told.some(({ pointId }) => pointId.endsWith('cov-increment'))).toBe(false);
});

test('subscriptions are renewed: changes come long after the first lifetime is over', async () => {
  await start({ covLifetimeS: 2 });
  await untilShown('analog-input,1', 20);
  const began = Date.now();
  for (let value = 21; Date.now() - began < 5_000; value += 1) {
    bench.show(5, 'AI-1', value);
    await untilShown('analog-input,1', value);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
});

test('a device that forgot its subscriptions and moved is subscribed to again', async () => {
  const driver = await start({ covLifetimeS: 600 });
  await untilShown('analog-input,1', 20);
  await bench.unplug();
  await bench.plug();
  bench.show(5, 'AI-1', 30);
  // The poll beside the subscription meets the silence and finds the device.
  await driver.read([gauge('binary-input,1')], never());
  await untilShown('analog-input,1', 30);
});

test('with nobody polling, a lost device is subscribed to again at the next renewal', async () => {
  await start({ covLifetimeS: 2 });
  await untilShown('analog-input,1', 20);
  await bench.unplug();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await bench.plug();
  bench.show(5, 'AI-1', 31);
  await untilShown('analog-input,1', 31);
});

test('a device without notifications is left to polling', async () => {
  const driver = await start({}, { cov: false });
  expect((await driver.read([gauge('analog-input,1')], never()))[0]?.value).toBe(20);
  bench.show(5, 'AI-1', 25);
  expect((await driver.read([gauge('analog-input,1')], never()))[0]?.value).toBe(25);
  expect(told).toEqual([]);
});

test('a device that never answers a subscription is asked ever less often: reads need their turn', async () => {
  await start({ cov: 'off' });
  const asked: number[] = [];
  const link = {
    where: 'device 5',
    isClosed: false,
    onReturn: () => () => undefined,
    onNotification: () => () => undefined,
    ask: () => {
      asked.push(Date.now());
      return Promise.reject(new DriverError('timeout', 'it is there, but does not answer', 'device 5'));
    },
  } as unknown as Link;
  const end = new AbortController();
  const address = { type: 0, instance: 1, property: 85 };
  const deps = {
    ...{ link, isConfirmed: true, lifetimeS: 8, timeoutMs: 100 },
    now: Date.now,
    random: () => 0,
    log: quietLog,
  };
  const over = runCov(deps, [{ ref: gauge('analog-input,1'), address }], () => undefined, end.signal);
  await expect.poll(() => asked.length, { timeout: 20_000 }).toBe(4);
  end.abort();
  await over;
  const pauses = asked.slice(1).map((at, n) => at - asked[n]!);
  [1_000, 2_000, 4_000].forEach((ms, n) => expect(pauses[n]).toBeGreaterThan(ms - 50));
}, 30_000);

test('where it is off, nothing is subscribed to', async () => {
  const driver = await start({ cov: 'off' });
  await driver.read([gauge('analog-input,1')], never());
  expect(bench.told.every(({ op }) => op === 'read')).toBe(true);
});

test('after the end nothing is told and the device is left in peace', async () => {
  await start({});
  await untilShown('binary-input,1', 0);
  stop.abort();
  await running;
  const count = bench.told.length;
  bench.show(5, 'AI-1', 99);
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect([bench.told.length, last('analog-input,1')?.value]).toEqual([count, 20]);
});

test('a closed device ends its subscription with an error', async () => {
  const driver = await start({ covLifetimeS: 1 });
  await untilShown('analog-input,1', 20);
  const ended = expect(running).rejects.toMatchObject({ code: 'lost' });
  running = Promise.resolve();
  await driver.close();
  await ended;
});

test('a device that has no place left for subscriptions is asked again at the next renewal', async () => {
  await start({ cov: 'off' });
  let asked = 0;
  const link = {
    where: 'device 5',
    isClosed: false,
    onReturn: () => () => undefined,
    onNotification: () => () => undefined,
    ask: () => {
      asked += 1;
      return asked > 2 ? Promise.resolve() : Promise.reject(new Refusal('error', 43));
    },
  } as unknown as Link;
  const end = new AbortController();
  const address = { type: 0, instance: 1, property: 85 };
  const deps = {
    ...{ link, isConfirmed: true, lifetimeS: 1, timeoutMs: 100 },
    ...{ now: Date.now, random: () => 0, log: quietLog },
  };
  const over = runCov(deps, [{ ref: gauge('analog-input,1'), address }], () => undefined, end.signal);
  await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThan(2);
  end.abort();
  await over;
});
