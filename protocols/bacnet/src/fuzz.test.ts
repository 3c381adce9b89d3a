import type { Driver, Sample } from '@parkline/kit';
import { expect, test } from 'vitest';
import { createBacnetDriver } from './driver.ts';
import { createMutation, createRandom, seeds } from './fuzzing.ts';
import { createLink } from './link.ts';
import { createMux } from './mux.ts';
import { parseDeviceParams } from './params.ts';
import { createSlots } from './queue.ts';
import type { DatagramSocket, Peer } from './socket.ts';
import { gauge, never, quietLog } from './testing.ts';

const INSTANCE = 77;
const HOME: Peer = { address: '10.0.0.77', port: 47_808 };
const STRANGER: Peer = { address: '10.0.0.78', port: 47_808 };

const random = createRandom(20_261_122);
const below = (limit: number): number => Math.floor(random() * limit);
const mutated = createMutation(random);

/** Analog inputs 1 to 8, each with a value whose octets resemble no other's. */
const truth = new Map(
  Array.from({ length: 8 }, (_, n) => {
    const octets = Buffer.alloc(4);
    octets.writeFloatBE((random() - 0.5) * 10 ** (n - 2));
    return [n + 1, octets] as const;
  }),
);
const refs = [...truth.keys()].map((instance) => gauge(`analog-input,${instance}`));

const object = (type: number, instance: number): number[] => {
  const word = ((type << 22) | instance) >>> 0;
  return [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255];
};
const message = (apdu: readonly number[]): Buffer =>
  Buffer.from([0x81, 0x0a, (apdu.length + 6) >> 8, (apdu.length + 6) & 255, 1, 0, ...apdu]);

const iAm = message([0x10, 0, 0xc4, ...object(8, INSTANCE), 0x22, 0x05, 0xc4, 0x91, 0, 0x21, 0]);
/** Octets of a property as they stand in an answer. */
function propertyOctets(key: string, property: number): readonly number[] {
  if (property === 75) return [0xc4, ...object(8, INSTANCE)];
  if (property === 111) return [0x82, 0x04, 0];
  return [0x44, ...truth.get(Buffer.from(key, 'hex').readUInt32BE() & 0x3f_ffff)!];
}

/** What the device says to a ReadProperty (12) or ReadPropertyMultiple (14). */
function answerTo(apdu: Buffer): Buffer {
  const [invokeId = 0, service = 0] = apdu.subarray(2, 4);
  const answer = [0x30, invokeId, service];
  if (service === 12) {
    const key = apdu.subarray(5, 9).toString('hex');
    return message([...answer, ...apdu.subarray(4, 11), 0x3e, ...propertyOctets(key, apdu[10]!), 0x3f]);
  }
  for (let at = 4; at < apdu.length;) {
    const key = apdu.subarray(at + 1, at + 5).toString('hex');
    answer.push(...apdu.subarray(at, at + 6));
    for (at += 6; apdu[at] !== 0x1f; at += 2)
      answer.push(0x29, apdu[at + 1]!, 0x4e, ...propertyOctets(key, apdu[at + 1]!), 0x4f);
    answer.push(0x1f);
    at += 1;
  }
  return message(answer);
}
const notification = (processId: number, instance: number): Buffer =>
  message([
    ...[0x10, 2, 0x0b, ...[processId >> 16, processId >> 8, processId].map((octet) => octet & 255)],
    ...[0x1c, ...object(8, INSTANCE), 0x2c, ...object(0, instance), 0x39, 60],
    ...[
      0x4e,
      0x09,
      85,
      0x2e,
      0x44,
      ...truth.get(instance)!,
      0x2f,
      0x09,
      111,
      0x2e,
      0x82,
      0x04,
      0,
      0x2f,
      0x4f,
    ],
  ]);

interface Wire {
  /** Gives the driver a datagram. */
  receive(datagram: Buffer, from: Peer): void;
  /** Sends something before an answer. */
  before: ((answer: Buffer) => Buffer) | undefined;
  /** The last answer. */
  last: Buffer;
  /** Process identifiers that were subscribed with, by object. */
  readonly processes: Map<number, number>;
}

/** A device without a network: it answers at once, what it is told to. */
function createWire(): { wire: Wire; driver: Driver } {
  let receive: Wire['receive'] = () => undefined;
  const wire: Wire = {
    receive: (datagram, from) => receive(datagram, from),
    before: undefined,
    last: iAm,
    processes: new Map(),
  };
  const say = (datagram: Buffer): void => queueMicrotask(() => receive(datagram, HOME));
  const socket: DatagramSocket = {
    port: 47_808,
    send(datagram) {
      const apdu = datagram.subarray(6);
      if (apdu[0] === 0x10) return say(iAm);
      if (apdu[3] === 12 || apdu[3] === 14) {
        wire.last = answerTo(apdu);
        if (wire.before) say(wire.before(wire.last));
        say(wire.last);
      }
      if (apdu[3] !== 5) return;
      const length = apdu[4]! & 7; // SubscribeCOV: process identifier, then the object.
      wire.processes.set(apdu.readUInt32BE(6 + length) & 0x3f_ffff, apdu.readUIntBE(5, length));
      say(message([0x20, apdu[2]!, 5]));
    },
    close: () => Promise.resolve(),
  };
  const bind = (listener: Wire['receive']) => {
    receive = listener;
    return Promise.resolve(socket);
  };
  let clock = 0;
  const now = (): number => (clock += 3_600_000); // Nothing is ever left alone for long.
  const common = { timeoutMs: 5_000, now, random, log: quietLog };
  const mux = createMux({ bind, where: 'memory', whoIs: [{ host: '10.0.0.1', port: 47_808 }], ...common });
  const link = createLink({ mux, slots: createSlots(1), instance: INSTANCE, retries: 0, ...common });
  const params = parseDeviceParams({ device: INSTANCE, cov: 'unconfirmed', covLifetimeS: 86_400 });
  const ownPlace = () => Promise.resolve({ address: '10.0.0.1', port: 47_808 });
  return { wire, driver: createBacnetDriver({ link, params, ownPlace, ...common }) };
}

const valueOf = (instance: number): number => truth.get(instance)!.readFloatBE();

/** A value may be bent on the way, which the check sum of UDP is there to notice. It may not be another point's. */
function expectOwn({ pointId, value, quality }: Sample): void {
  if (value === null) return expect(quality).toBe('bad');
  for (const instance of truth.keys())
    if (pointId !== `analog-input,${instance}` && Math.fround(value) === valueOf(instance))
      throw new Error(`${pointId} shows the value of analog-input,${instance}`);
}

test('50,000 bent answers: no crash, and no value on a wrong point', { timeout: 120_000 }, async () => {
  const { wire, driver } = createWire();
  await driver.connect(never());
  let [good, refused] = [0, 0];
  wire.before = mutated;
  for (let n = 0; n < 50_000; n += 1) {
    try {
      const samples = await driver.read(refs, never());
      samples.forEach(expectOwn);
      good += 1;
    } catch (error) {
      expect(error).toMatchObject({
        name: 'DriverError',
        code: expect.stringMatching(/garbage|timeout|lost/) as string,
      });
      refused += 1;
    }
  }
  expect(good + refused).toBe(50_000);
  expect(good).toBeGreaterThan(25_000); // Most of what is bent is noticed, and the good answer behind it is taken.
  await driver.close();
});

test(
  '50,000 bent datagrams of all kinds beside the answers change nothing',
  { timeout: 120_000 },
  async () => {
    const { wire, driver } = createWire();
    const told: Sample[] = [];
    const stop = new AbortController();
    const running = driver.subscribe!(refs, (sample) => void told.push(sample), stop.signal);
    await expect.poll(() => wire.processes.size).toBe(truth.size);
    await driver.read(refs, never());
    const segment = message([0x3c, 1, 0, 4, 14, 0x0c, ...object(0, 1), 0x1e, 0x29, 85]);
    const kinds = [
      ...[...wire.processes].map(([instance, processId]) => notification(processId, instance)),
      ...[
        segment,
        message([0x40, 1, 0, 1]),
        message([0x50, 1, 14, 0x91, 1, 0x91, 31]),
        message([0x60, 1, 9]),
      ],
      ...[message([0x71, 1, 4]), iAm, wire.last, message([0x20, 1, 5])],
      ...seeds.eventNotifications(INSTANCE),
      ...[seeds.bvlcResult, seeds.forwarded(iAm, HOME)],
    ];
    for (let n = 0; n < 50_000; n += 1) {
      wire.receive(mutated(kinds[below(kinds.length)]!), below(4) === 0 ? STRANGER : HOME);
      if (n % 100 > 0) continue;
      expect((await driver.read(refs, never())).map(({ value }) => Math.fround(value!))).toEqual(
        [...truth.keys()].map(valueOf),
      );
    }
    told.forEach(expectOwn);
    expect(told.length).toBeGreaterThan(100); // Some are only bent where it does not matter.
    for (const [instance, processId] of wire.processes) wire.receive(notification(processId, instance), HOME);
    expect(told.slice(-truth.size).map(({ value }) => Math.fround(value!))).toEqual(
      [...truth.keys()].map(valueOf),
    );
    stop.abort();
    await running;
    await driver.close();
  },
);
