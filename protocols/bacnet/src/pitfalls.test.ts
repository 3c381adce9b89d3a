import type { Driver } from '@parkline/kit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createBacnetDriver } from './driver.ts';
import { createLink, MOST_SILENT_MS } from './link.ts';
import { createMux } from './mux.ts';
import { parseDeviceParams } from './params.ts';
import { createSlots } from './queue.ts';
import type { Peer } from './socket.ts';
import { gauge, never, quietLog } from './testing.ts';

/** The place that libraries take for this machine itself. */
const HOME: Peer = { address: '127.0.0.1', port: 47_808 };
const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const message = (apdu: Buffer): Buffer => {
  const whole = Buffer.concat([octets('81 0a 00 00 01 00'), apdu]);
  whole.writeUInt16BE(whole.length, 2);
  return whole;
};
const iAm = message(octets('10 00 c4 02 00 00 05 22 05 c4 91 00 21 0f'));

let driver: Driver;
let sent: Buffer[];
/** What the device says to an APDU; undefined keeps silent. */
let answer: (apdu: Buffer) => Buffer | undefined;

/** One device in memory, on the clock of the test. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  sent = [];
  let hear: (datagram: Buffer, from: Peer) => void = () => undefined;
  const socket = {
    port: 1,
    send(datagram: Buffer) {
      sent.push(datagram);
      const reply = answer(datagram.subarray(6));
      if (reply) queueMicrotask(() => hear(reply, HOME));
    },
    close: () => Promise.resolve(),
  };
  const bind = (receive: typeof hear) => {
    hear = receive;
    return Promise.resolve(socket);
  };
  const common = { timeoutMs: 1_000, now: Date.now, random: () => 0.5, log: quietLog };
  const mux = createMux({ bind, where: 'memory', whoIs: [{ host: '10.0.0.1', port: 47_808 }], ...common });
  const link = createLink({ mux, slots: createSlots(1), instance: 5, retries: 0, ...common });
  const ownPlace = () => Promise.resolve(undefined);
  driver = createBacnetDriver({ link, params: parseDeviceParams({ device: 5 }), ownPlace, ...common });
});
afterEach(() => vi.useRealTimers());

/** Answers like a device whose analog input 1 shows 21.5, and which knows ReadPropertyMultiple. */
function wellBehaved(apdu: Buffer): Buffer | undefined {
  if (apdu[0] === 0x10) return iAm;
  const values = octets(
    '0c 02 00 00 05 1e 29 4b 4e c4 02 00 00 05 4f 1f 0c 00 00 00 01 1e 29 55 4e 44 41 ac 00 00 4f 29 6f 4e 82 04 00 4f 1f',
  );
  return message(Buffer.concat([Buffer.from([0x30, apdu[2]!, 14]), values]));
}
const value = async () => (await driver.read([gauge('analog-input,1')], never()))[0]?.value;

test('a device at 127.0.0.1:47808 is heard like any other', async () => {
  answer = wellBehaved;
  expect(await value()).toBe(21.5);
});

test.each([
  ['60 %id 09', 'rejected: unrecognized service'],
  ['71 %id 03', 'aborted: preempted by higher priority task'],
  ['50 %id 0c 91 02 91 20', 'unknown property'],
])('a reject, an abort and an error are told apart: %s', async (hex, why) => {
  answer = (apdu) => {
    if (apdu[0] === 0x10) return iAm;
    const id = apdu[2]!.toString(16).padStart(2, '0');
    const isIdentity = apdu[3] === 12 && apdu[10] === 75;
    if (isIdentity) return message(octets(`30 ${id} 0c 0c 02 00 00 05 19 4b 3e c4 02 00 00 05 3f`));
    return apdu[3] === 12 ? message(octets(hex.replace('%id', id))) : message(octets(`60 ${id} 09`));
  };
  const [sample] = await driver.read([gauge('analog-input,1')], never());
  expect(sample).toMatchObject({ quality: 'bad', why });
});

test('the number of elements of an array is asked for as index 0', async () => {
  answer = (apdu) => (apdu[0] === 0x10 ? iAm : undefined);
  const reading = driver.read([gauge('analog-output,1,priority-array,0')], never()).catch(() => undefined);
  await vi.advanceTimersByTimeAsync(10_000);
  await reading;
  expect(sent.some((datagram) => datagram.includes(octets('0c 00 40 00 01 1e 09 57 19 00 1f')))).toBe(true);
});

test('after two hours without a network every point is back within a minute, and nobody was restarted', async () => {
  answer = wellBehaved;
  expect(await value()).toBe(21.5);
  answer = () => undefined;
  const cutAt = Date.now();
  const SECOND = 1_000;
  let failures = 0;
  // Polled every 5 s, as the gateway does.
  const poll = async (): Promise<boolean> => {
    const reading = value().then(
      (shown) => shown === 21.5,
      () => false,
    );
    await vi.advanceTimersByTimeAsync(5 * SECOND);
    return reading;
  };
  while (Date.now() - cutAt < 2 * 3_600 * SECOND) {
    expect(await poll()).toBe(false);
    failures += 1;
  }
  expect(failures).toBeGreaterThan(1_000);
  expect(sent.length).toBeLessThan(2 * (7_200 / (0.75 * (MOST_SILENT_MS / SECOND))) + 50); // It was left alone meanwhile.
  answer = wellBehaved;
  const backAt = Date.now();
  while (!(await poll())) expect(Date.now() - backAt).toBeLessThan(60 * SECOND);
  expect(Date.now() - backAt).toBeLessThanOrEqual(60 * SECOND);
});
