import type { Connection, DriverLog, FoundDevice } from '@parkline/kit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type BacnetBench, startBacnetBench } from '../../../tests/support/bacnet.ts';
import { createForeignRegistration } from './foreign.ts';
import { connectionTo, gauge, never, quietLog } from './testing.ts';

let bench: BacnetBench;
let connection: Connection;
beforeEach(async () => {
  bench = await startBacnetBench([
    { instance: 5, objects: { 'AI-1': 20 } },
    { instance: 70_000, objects: { 'AI-1': 21 } },
  ]);
  connection = connectionTo(bench.place, { whoIs: [], bbmd: { ...bench.place, ttlS: 1 }, timeoutMs: 1_000 });
});
afterEach(async () => {
  vi.useRealTimers();
  await connection.close();
  await bench.stop();
});
const value = async (device = connection.device({ device: 5 })) =>
  (await device.read([gauge('analog-input,1')], never()))[0]?.value;

test('devices of another subnet are found through its BBMD, and asked where they are themselves', async () => {
  expect(await value()).toBe(20);
  expect(bench.bbmd.registered()).toHaveLength(1);
});

test('the registration is renewed at half its life', async () => {
  await value();
  await expect.poll(() => bench.bbmd.registrations, { timeout: 5_000 }).toBeGreaterThan(2);
});

test('a BBMD that forgot the gateway is registered with again', async () => {
  const device = connection.device({ device: 5 });
  expect(await value(device)).toBe(20);
  bench.bbmd.forget();
  await bench.unplug();
  await bench.plug();
  await expect.poll(() => value(device).catch(() => undefined), { timeout: 10_000 }).toBe(20);
});

test('a BBMD that refuses is said where a device is not found', async () => {
  bench.bbmd.isClosed = true;
  await expect(value()).rejects.toMatchObject({
    code: 'lost',
    message: expect.stringContaining('refuses to register a foreign device (NAK 0x0030)') as string,
  });
});

test('a search goes through the BBMD', async () => {
  const found: FoundDevice[] = [];
  for await (const device of connection.discover!({}, never())) found.push(device);
  expect(found.map(({ params }) => params.device).toSorted()).toEqual([5, 70_000]);
});

/** A registration with nothing around it, on a clock that the test turns. */
function alone(log: DriverLog = quietLog) {
  vi.useFakeTimers();
  const sent: string[] = [];
  const bbmd = { address: '10.0.0.9', port: 47_808 };
  const send = (datagram: Buffer): void => void sent.push(datagram.toString('hex'));
  const registration = createForeignRegistration({ bbmd, ttlS: 60, timeoutMs: 1_000, send, log });
  const answer = (code: string): boolean => registration.hear(Buffer.from(`81000006${code}`, 'hex'));
  return { registration, sent, answer };
}

test('registers with its time to live, and again at 30 of 60 s', async () => {
  const { registration, sent, answer } = alone();
  void registration.start();
  expect(sent).toEqual(['81050006003c']);
  expect([answer('0000'), registration.isRegistered]).toEqual([true, true]);
  await vi.advanceTimersByTimeAsync(29_900);
  expect(sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(sent).toHaveLength(2);
  registration.stop();
});

test('what was lost is registered anew: at once after a refusal to distribute, in 30 s at most while nobody answers', async () => {
  const { registration, sent, answer } = alone();
  void registration.start();
  answer('0000');
  expect(answer('0060')).toBe(true);
  expect(registration.isRegistered).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(sent).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(2 * 3_600_000);
  const before = sent.length;
  await vi.advanceTimersByTimeAsync(31_000);
  expect(sent.length).toBeGreaterThan(before);
  expect(registration.trouble).toContain('does not answer');
  answer('0000');
  expect([registration.isRegistered, registration.trouble]).toEqual([true, undefined]);
  registration.stop();
});

test('what is no result of the BBMD is left to others', () => {
  const { registration, answer } = alone();
  void registration.start();
  expect([answer('0010'), registration.hear(Buffer.from('8100000600', 'hex'))]).toEqual([false, false]);
  expect(registration.hear(Buffer.from('810a000601000000', 'hex'))).toBe(false);
  registration.stop();
});

test('a BBMD that only says what it will not do is left alone for a while', async () => {
  const { registration, sent, answer } = alone();
  void registration.start();
  for (let round = 0; round < 20; round += 1) {
    answer('0060');
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(sent.length).toBeLessThan(3);
  expect(registration.trouble).toContain('NAK 0x0060');
  registration.stop();
});
