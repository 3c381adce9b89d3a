import type { Driver } from '@parkline/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBacnetDriver } from './driver.ts';
import { discover, type DiscoverDeps } from './discover.ts';
import { createLink } from './link.ts';
import { createMux, type Mux } from './mux.ts';
import { parseDeviceParams } from './params.ts';
import { createSlots } from './queue.ts';
import type { Peer } from './socket.ts';
import { gauge, never, quietLog } from './testing.ts';

const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const message = (apdu: Buffer): Buffer => {
  const whole = Buffer.concat([octets('81 0a 00 00 01 00'), apdu]);
  whole.writeUInt16BE(whole.length, 2);
  return whole;
};
const byte = (value: number): string => value.toString(16).padStart(2, '0');
const wide = (value: number): string => value.toString(16).padStart(6, '0');
const iAm = (instance: number): Buffer =>
  message(octets(`10 00 c4 02 ${wide(instance)} 22 05 c4 91 00 21 0f`));

/** Devices in memory by where they are; analog input 1 of each shows ten times its instance. */
let at: Map<string, number>;
let subscribed: number[];
let hear: (datagram: Buffer, from: Peer) => void;
let mux: Mux;
let borrow: DiscoverDeps['borrow'];
/** Devices that a search has asked for at once, at most. */
let mostBorrowed: number;
let linkOf: (instance: number) => Driver;

function replyOf(apdu: Buffer, instance: number): Buffer | undefined {
  const [own, id] = [byte(instance), byte(apdu[2]!)];
  if (apdu[0] === 0x10) {
    const isAsked = apdu.readUIntBE(3, 1) === instance;
    return isAsked ? iAm(instance) : undefined;
  }
  if (apdu[3] === 5) {
    subscribed.push(instance);
    return message(octets(`20 ${id} 05`));
  }
  const self = `0c 02 00 00 ${own} 1e 29 4b 4e c4 02 00 00 ${own} 4f 1f`;
  const point = `0c 00 00 00 01 1e 29 55 4e 21 ${byte(instance * 10)} 4f 29 6f 4e 82 04 00 4f 1f`;
  return message(octets(`30 ${id} 0e ${self} ${point}`));
}

beforeEach(() => {
  at = new Map();
  subscribed = [];
  const answer = (apdu: Buffer, place: string): void => {
    const instance = at.get(place);
    const reply = instance === undefined ? undefined : replyOf(apdu, instance);
    if (reply) queueMicrotask(() => hear(reply, { address: place, port: 47_808 }));
  };
  const socket = {
    port: 1,
    send(datagram: Buffer, { address }: Peer) {
      const apdu = datagram.subarray(6);
      if (address === '10.0.0.255') for (const place of at.keys()) answer(datagram.subarray(10), place);
      else answer(apdu, address);
    },
    close: () => Promise.resolve(),
  };
  const bind = (receive: typeof hear) => {
    hear = receive;
    return Promise.resolve(socket);
  };
  const common = { timeoutMs: 60, now: Date.now, random: () => 0.5, log: quietLog };
  mux = createMux({ bind, where: 'memory', whoIs: [{ host: '10.0.0.255', port: 47_808 }], ...common });
  const slots = createSlots(8);
  const newLink = (instance: number) => createLink({ mux, slots, instance, retries: 1, ...common });
  let borrowed = 0;
  mostBorrowed = 0;
  borrow = (instance) => {
    borrowed += 1;
    mostBorrowed = Math.max(mostBorrowed, borrowed);
    const link = newLink(instance);
    return {
      link,
      end() {
        borrowed -= 1;
        link.close();
      },
    };
  };
  linkOf = (instance) => {
    const link = newLink(instance);
    const ownPlace = () => Promise.resolve(undefined);
    const params = parseDeviceParams({ device: instance });
    return createBacnetDriver({ link, params, ownPlace, ...common });
  };
});
afterEach(() => mux.close());

/** What a device shows, or how it fails. */
const valueOf = (driver: Driver): Promise<number | null | string | undefined> =>
  driver.read([gauge('analog-input,1')], never()).then(
    ([sample]) => sample?.value,
    (error: unknown) => (error as { code: string }).code,
  );

test('a false claim to the place of a device costs that device nothing', async () => {
  at.set('10.0.0.5', 5);
  const [five, six] = [linkOf(5), linkOf(6)];
  expect(await valueOf(five)).toBe(50);
  const claimed = six.connect(never());
  await new Promise((resolve) => setTimeout(resolve, 10));
  hear(iAm(6), { address: '10.0.0.5', port: 47_808 });
  await claimed;
  for (let round = 0; round < 3; round += 1) expect(await valueOf(five)).toBe(50);
  expect(await valueOf(six)).not.toBe(50);
  expect(await valueOf(five)).toBe(50);
  at.set('10.0.0.6', 6);
  await expect.poll(() => valueOf(six), { timeout: 10_000 }).toBe(60);
  expect(await valueOf(five)).toBe(50);
});

test('a device that was lost is subscribed to again as soon as a poll has found it', async () => {
  at.set('10.0.0.5', 5);
  const five = linkOf(5);
  const stop = new AbortController();
  const running = five.subscribe!([gauge('analog-input,1')], () => undefined, stop.signal);
  await expect.poll(() => subscribed.length).toBe(1);
  at.clear();
  expect(await valueOf(five)).toBe('lost');
  at.set('10.0.0.5', 5);
  await expect.poll(() => valueOf(five), { timeout: 10_000 }).toBe(50);
  await expect.poll(() => subscribed.length).toBeGreaterThan(1);
  stop.abort();
  await running;
});

test('made-up devices end a search: few of them are asked at once, and none of them for ever', async () => {
  const searching = (async () => {
    for await (const _ of discover({ mux, timeoutMs: 60, borrow }, {}, never()));
  })();
  const ended = expect(searching).rejects.toMatchObject({
    code: 'garbage',
    message: expect.stringContaining('more than 10000') as string,
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let n = 0; n < 10_100; n += 1) hear(iAm(n), { address: '10.0.0.66', port: 47_808 });
  await ended;
  expect(mostBorrowed).toBeLessThan(100);
});
