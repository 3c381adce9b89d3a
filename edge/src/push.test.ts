import { DriverError } from '@parkline/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newKeys } from './testing/cloud.ts';
import {
  newIdentity,
  pushingDriver,
  type PushingModule,
  runGateway,
  type RunningGateway,
} from './testing/gateway.ts';
import { storedSamples } from './testing/home.ts';
import { scratch } from './testing/scratch.ts';

let home: ReturnType<typeof scratch>;
let driver: PushingModule;
let gateway: RunningGateway;

beforeEach(async () => {
  home = scratch();
  driver = pushingDriver();
  gateway = await runGateway(home.path, {
    driver,
    identity: newIdentity(),
    cloudKey: newKeys().publicKey,
    natsUrl: 'nats://127.0.0.1:9', // discard: no cloud is needed
    pollMs: 3_600_000,
  });
  await expect.poll(stored, { timeout: 10_000 }).toEqual([[0, 0]]); // The first poll.
});
afterEach(async () => {
  await gateway.stop();
  home[Symbol.dispose]();
});

const stored = () => storedSamples(home.path).map(([, value, quality]) => [value, quality]);

test('what a device pushes is on disk a second later, each value once, in order, long before the next poll', async () => {
  for (const value of [1, 2, 2, 3]) driver.push(value);
  await expect.poll(stored, { timeout: 10_000 }).toEqual([
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 0],
  ]);
});

test('a device that is lost is bad at once and comes back through a new subscription', async () => {
  driver.breakOff(new DriverError('lost', 'last will', 'here'));
  await expect.poll(stored, { timeout: 10_000 }).toEqual([
    [0, 0],
    [null, 2],
  ]);
  await expect.poll(() => driver.events, { timeout: 10_000 }).toEqual(['subscribed', 'subscribed']);
  driver.push(7);
  await expect.poll(() => stored().at(-1), { timeout: 10_000 }).toEqual([7, 0]);
});

test('a stop ends the subscription, then closes the driver; what came last is on disk', async () => {
  driver.push(8);
  await gateway.stop();
  expect(driver.events).toEqual(['subscribed', 'ended', 'closed']);
  expect(stored()).toEqual([
    [0, 0],
    [8, 0],
  ]);
});
