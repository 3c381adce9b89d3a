import type { Sample } from '@parkline/kit';
import { afterEach, expect, test } from 'vitest';
import { runCov } from './cov.ts';
import type { Link } from './link.ts';
import { createStation, type Notification, type Station } from './station.ts';
import { gauge, quietLog } from './testing.ts';

let station: Station;
let sent: number;
const heard: Notification[] = [];

function start(): void {
  sent = 0;
  heard.length = 0;
  station = createStation({
    place: { address: '10.0.0.5', port: 47_808 },
    timeoutMs: 100,
    send: () => void (sent += 1),
    onClosed: () => undefined,
  });
  station.onNotification = (notification) => heard.push(notification) > 0;
}
afterEach(() => station.close());

/** A confirmed notification of analog input 1 of device 5 for subscription 1. */
const told = (invokeId: number, value: number): void => {
  const apdu = Buffer.from('0005000109011c020000052c0000000139004e09552e44000000002f4f', 'hex');
  apdu[2] = invokeId;
  apdu.writeFloatBE(value, apdu.length - 6);
  station.receive(apdu);
};
const shown = () => heard.map(({ values, isAgain }) => [values[0]?.value[0]?.value, isAgain]);

test('a notification that comes once more after another is known, and acknowledged like the first', () => {
  start();
  told(1, 20);
  told(2, 21);
  told(1, 20);
  expect(shown()).toEqual([
    [20, false],
    [21, false],
    [20, true],
  ]);
  expect(sent).toBe(3);
});

test('a device that gives all its notifications one number tells news all the same', () => {
  start();
  for (const value of [1, 0, 1]) told(7, value);
  expect(shown().map(([, isAgain]) => isAgain)).toEqual([false, false, false]);
});

test('what is told again is not taken for what is: the device is asked', async () => {
  start();
  let hear: ((notification: Notification) => boolean) | undefined;
  let asked = 0;
  const link = {
    isClosed: false,
    onReturn: () => () => undefined,
    onNotification: (listener: typeof hear) => {
      hear = listener;
      return () => undefined;
    },
    ask: () => Promise.resolve(void (asked += 1)),
  } as unknown as Link;
  const samples: Sample[] = [];
  const end = new AbortController();
  const deps = {
    ...{ link, isConfirmed: true, lifetimeS: 600, timeoutMs: 100, now: Date.now },
    ...{ random: () => 0, log: quietLog },
  };
  const point = { ref: gauge('analog-input,1'), address: { type: 0, instance: 1, property: 85 } };
  const over = runCov(deps, [point], (sample) => samples.push(sample), end.signal);
  await expect.poll(() => asked).toBe(1);
  told(1, 20);
  told(2, 21);
  told(1, 20);
  expect(heard.map((notification) => hear?.(notification))).toEqual([true, true, true]);
  expect(samples.map(({ value }) => value)).toEqual([20, 21]);
  await expect.poll(() => asked).toBe(2);
  end.abort();
  await over;
});
