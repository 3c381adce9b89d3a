import { join } from 'node:path';
import type { WriteLimits } from '@parkline/contract';
import { type Driver, DriverError, type WriteOrder, type Written } from '@parkline/kit';
import pino from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OutboxError } from '../pipeline/outbox.ts';
import { command } from '../testing/commands.ts';
import { pointId } from '../testing/gateway.ts';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { scratch } from '../testing/scratch.ts';
import { createVirtualTime } from '../testing/virtual-time.ts';
import { type CommandEvent, openJournal } from './journal.ts';
import { createWriting } from './writing.ts';

const START = Date.UTC(2026, 5, 1);
const defaults: WriteLimits = { min: 0, max: 50, perMinute: 6, priority: 9, holdS: 600, safety: false };
let ids = 0;
const uuid = (): string => `018f0000-0000-7000-8000-${String((ids += 1)).padStart(12, '0')}`;

interface Wanted {
  readonly limits?: Partial<WriteLimits>;
  readonly hasPriorities?: boolean;
  /** What the device does with a write; by default it takes it. */
  readonly onWrite?: (order: WriteOrder, signal: AbortSignal) => Promise<Written>;
}

/** A gateway's writing with one point, in virtual time, on a disk of its own. */
function given({ limits = {}, hasPriorities = true, onWrite }: Wanted = {}) {
  const home = scratch();
  const time = createVirtualTime(START);
  const faults = rememberingFaults();
  const world = { isOff: false, isFull: false, isWritable: true, shown: 20 as number | null };
  const writes: (number | null)[] = [];
  const orders: WriteOrder[] = [];
  const told: CommandEvent[] = [];
  const driver: Driver = {
    connect: () => Promise.resolve(),
    async *browse() {
      yield* [];
    },
    read: (refs) => {
      const at = time.clock.now();
      const quality = world.shown === null ? 'bad' : 'good';
      return Promise.resolve(
        refs.map((ref) => ({ pointId: ref.pointId, at, beganAt: at, value: world.shown, quality })),
      );
    },
    async write(order, signal) {
      orders.push(order);
      writes.push(order.value);
      if (onWrite) return onWrite(order, signal);
      world.shown = order.value ?? 20;
      return { state: 'done', at: time.clock.now(), readBack: world.shown };
    },
    close: () => Promise.resolve(),
  };
  const stop = new AbortController();
  const writing = createWriting({
    journal: openJournal(join(home.path, 'commands.sqlite'), time.clock.now(), () => undefined),
    events: {
      add(event) {
        if (world.isFull) throw new OutboxError('disk', 'full');
        told.push(event as CommandEvent);
      },
    },
    find: (id) =>
      id === pointId
        ? {
            ...{ equipmentId: 'device', driver, hasPriorities },
            ref: { pointId, address: 'x', scale: 1, kind: 'gauge' },
            point: {
              ...{ kind: 'gauge', unit: '°C' },
              ...(world.isWritable && { write: { ...defaults, ...limits } }),
            },
          }
        : undefined,
    isOff: () => world.isOff,
    newId: uuid,
    ...{ clock: time.clock, wait: time.wait, faults, log: pino({ enabled: false }) },
    failpoint: () => undefined,
  });
  const done = writing.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await done;
    home[Symbol.dispose]();
  });
  /** Sends a command with an id of its own and lets it be done. */
  async function send(over: Parameters<typeof command>[0] = {}) {
    const order = command({
      id: uuid(),
      issuedAt: time.clock.now(),
      expiresAt: time.clock.now() + 60_000,
      ...over,
    });
    writing.take(order);
    await time.advance(0);
    return order;
  }
  return { time, world, writes, orders, told, send, writing };
}

const outcomes = (told: readonly CommandEvent[]) => told.map(({ outcome }) => outcome);

describe('a gateway that is told to write', () => {
  test('writes once, at the priority of the point, and tells before and after', async () => {
    const { send, orders, told } = given();
    const { id } = await send({ value: 21.5 });
    expect(orders).toMatchObject([{ value: 21.5, priority: 9, ref: { pointId } }]);
    expect(told).toMatchObject([
      { commandId: id, pointId, outcome: 'done', before: 20, after: 21.5, why: '' },
    ]);
  });

  test('the same command a second time changes and tells nothing, not even after it was refused', async () => {
    const { send, writing, writes, told, world, time } = given();
    world.isOff = true;
    const order = await send();
    world.isOff = false;
    writing.take(order);
    const other = await send({ value: 30 });
    writing.take(other);
    await time.advance(0);
    expect(writes).toEqual([30]);
    expect(outcomes(told)).toEqual(['refused', 'done']);
  });

  test('what it refuses it tells, with a code for programs and a sentence for people', async () => {
    const { send, told, writes } = given();
    await send({ value: 51 });
    await send({ pointId: uuid() });
    expect(writes).toEqual([]);
    expect(told.map(({ outcome, why }) => [outcome, why])).toEqual([
      ['refused', 'range: 51 is outside what may be written, 0 to 50 °C'],
      ['refused', 'unknown: the gateway does not know the point'],
    ]);
  });

  test('never more often in a minute than the point allows, and again in the next', async () => {
    const { send, told, time } = given({ limits: { perMinute: 2 } });
    for (let i = 0; i < 3; i += 1) await send({ value: i });
    await time.advance(60_001);
    await send({ value: 4 });
    expect(outcomes(told)).toEqual(['done', 'done', 'refused', 'done']);
    expect(told[2]?.why).toMatch(/^rate: /);
  });

  test('a command that waited for its turn until it expired is not carried out', async () => {
    let answer: (() => void) | undefined;
    const { send, told, time, writes } = given({
      onWrite: ({ value }) =>
        new Promise((resolve) => {
          answer = () => {
            resolve({ state: 'done', at: 0, readBack: value });
          };
        }),
    });
    await send({ value: 1 });
    await send({ value: 2, expiresAt: START + 5_000 });
    await time.advance(6_000);
    answer?.();
    await time.advance(0);
    expect(writes).toEqual([1]);
    expect(outcomes(told)).toEqual(['done', 'refused']);
    expect(told[1]?.why).toMatch(/^expired: /);
  });

  test('a device that says no is told as refused; an earlier hold of the point stays', async () => {
    let says = 'yes';
    const { send, told, time, writes } = given({
      onWrite: ({ value }) =>
        says === 'yes'
          ? Promise.resolve({ state: 'done', at: 0, readBack: value })
          : Promise.reject(new DriverError('refused', 'write access denied', 'bus')),
    });
    await send({ value: 1, holdS: 100 });
    says = 'no';
    await send({ value: 2, holdS: 300 });
    expect(told[1]).toMatchObject({ outcome: 'refused', why: 'device: write access denied' });
    says = 'yes';
    await time.advance(101_000);
    expect(writes).toEqual([1, 2, null]);
    expect(outcomes(told)).toEqual(['done', 'refused', 'released']);
  });

  test.each([
    [
      'the link breaks',
      () => Promise.reject(new DriverError('lost', 'connection reset', 'bus')),
      'connection reset',
    ],
    [
      'the driver hangs',
      () => new Promise<never>(() => undefined),
      'the driver neither answers nor gives up',
    ],
  ])('when %s nobody knows, and it is not tried again', async (_, onWrite, why) => {
    const { send, told, time, writes } = given({ onWrite });
    await send({ value: 1 });
    await time.advance(40_000);
    expect(writes).toEqual([1]);
    expect(told).toMatchObject([
      { outcome: 'failed', after: 20, why: `nobody knows whether it was written (${why}); read back: 20` },
    ]);
  });

  test('something of a higher rank in force is told as it is', async () => {
    const { send, told } = given({
      onWrite: () =>
        Promise.resolve({ state: 'overridden', at: 0, readBack: 17, detail: 'priority 5 is in force' }),
    });
    await send({ value: 21 });
    expect(told).toMatchObject([{ outcome: 'overridden', after: 17, why: 'priority 5 is in force' }]);
  });

  test('results wait in the journal while the outbox takes none', async () => {
    const { send, told, time, world } = given();
    world.isFull = true;
    await send({ value: 1 });
    await time.advance(20_000);
    expect(told).toEqual([]);
    world.isFull = false;
    await time.advance(6_000);
    expect(outcomes(told)).toEqual(['done']);
  });
});

describe('a point that is held', () => {
  test('is given back when its time is over, whatever the wall clock does meanwhile', async () => {
    const { send, told, time, writes } = given();
    await send({ value: 25, holdS: 60 });
    time.jump(7_200_000);
    await time.advance(59_000);
    expect(writes).toEqual([25]);
    await time.advance(2_000);
    expect(writes).toEqual([25, null]);
    expect(told.at(-1)).toMatchObject({ outcome: 'released', before: 25, after: 20 });
  });

  test('is held for what its limits say when the command does not', async () => {
    const { send, writes, time } = given({ limits: { holdS: 30 } });
    await send({ value: 25 });
    await time.advance(29_000);
    expect(writes).toEqual([25]);
    await time.advance(2_000);
    expect(writes).toEqual([25, null]);
  });

  test('is held on by a newer command, and only that one gives it back', async () => {
    const { send, told, time, writes } = given();
    await send({ value: 25, holdS: 60 });
    await time.advance(30_000);
    const newer = await send({ value: 26, holdS: 120 });
    await time.advance(100_000);
    expect(writes).toEqual([25, 26]);
    await time.advance(30_000);
    expect(writes).toEqual([25, 26, null]);
    expect(told.at(-1)).toMatchObject({ outcome: 'released', commandId: newer.id });
  });

  test('is given back by a command without a value, and then no more', async () => {
    const { send, time, writes } = given();
    await send({ value: 25, holdS: 60 });
    await send({ value: null });
    await time.advance(100_000);
    expect(writes).toEqual([25, null]);
  });

  test('gets its automatic value where the protocol has no priorities', async () => {
    const { send, time, writes } = given({ hasPriorities: false, limits: { release: 21 } });
    await send({ value: 25, holdS: 5 });
    await time.advance(6_000);
    expect(writes).toEqual([25, 21]);
  });

  test('stays where nothing says what gives it back, and the result says so', async () => {
    const { send, told, time, writes } = given({ hasPriorities: false });
    await send({ value: 25, holdS: 5 });
    await time.advance(100_000);
    expect(writes).toEqual([25]);
    expect(told).toMatchObject([{ outcome: 'done', why: expect.stringContaining('it stays') as string }]);
  });

  test('waits while remote writing is switched off on site, and is given back when it is on again', async () => {
    const { send, time, writes, world } = given();
    await send({ value: 25, holdS: 5 });
    world.isOff = true;
    await time.advance(60_000);
    expect(writes).toEqual([25]);
    world.isOff = false;
    await time.advance(2_000);
    expect(writes).toEqual([25, null]);
  });

  test('is tried again while the device does not answer', async () => {
    let isDead = false;
    const { send, time, told, writes } = given({
      onWrite: ({ value }) =>
        isDead
          ? Promise.reject(new DriverError('timeout', 'no answer', 'bus'))
          : Promise.resolve({ state: 'done', at: 0, readBack: value }),
    });
    await send({ value: 25, holdS: 5 });
    isDead = true;
    await time.advance(20_000);
    expect(outcomes(told)).toEqual(['done']);
    isDead = false;
    await time.advance(30_000);
    expect(outcomes(told)).toEqual(['done', 'released']);
    expect(writes.slice(1).every((value) => value === null)).toBe(true);
  });

  test('that is no longer declared writable stays, and that is told', async () => {
    const { send, time, told, writes, world } = given();
    await send({ value: 25, holdS: 5 });
    world.isWritable = false;
    await time.advance(10_000);
    expect(writes).toEqual([25]);
    expect(told.at(-1)).toMatchObject({
      outcome: 'failed',
      why: expect.stringMatching(/^stays: /) as string,
    });
  });
});
