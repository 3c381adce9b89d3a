import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { ByteLine, Connection, Driver, PointRef } from '@parkline/kit';
import { afterEach, expect, test } from 'vitest';
import { createBus } from './bus.ts';
import { createMbapFramer } from './frame.ts';
import { connectionTo, gauge, never, quietLog } from './testing.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** One request as a slave sees it. */
interface Asked {
  readonly unit: number;
  readonly fc: number;
  readonly start: number;
  /** Registers, or the value of a write. */
  readonly count: number;
  readonly frame: Buffer;
  readonly socket: Socket;
}
interface Slave {
  readonly device: Driver;
  readonly connection: Connection;
  readonly asked: readonly Asked[];
  /** Connections so far. */
  connections(): number;
}

/** A slave on Modbus TCP that answers with the frames `answer` gives for a request. */
async function slave(answer: (asked: Asked) => Buffer | undefined, params: object = {}): Promise<Slave> {
  const asked: Asked[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    let rest = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      while (rest.length >= 6 && rest.length >= 6 + rest.readUInt16BE(4)) {
        const frame = rest.subarray(0, 6 + rest.readUInt16BE(4));
        rest = rest.subarray(frame.length);
        const [unit, fc] = [frame[6]!, frame[7]!];
        const [start, count] = frame.length < 12 ? [0, 0] : [frame.readUInt16BE(8), frame.readUInt16BE(10)];
        const one = { unit, fc, start, count, frame, socket };
        asked.push(one);
        const reply = answer(one);
        if (reply) socket.write(reply);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const connection = connectionTo({ transport: 'tcp', host: '127.0.0.1', port, ...params });
  endings.push(
    () => sockets.map((socket) => socket.destroy()),
    () => server.close(),
    () => connection.close(),
  );
  return { connection, device: connection.device({ unit: 1 }), asked, connections: () => sockets.length };
}

/** An answer with the transaction of its request. */
function reply({ frame }: Asked, ...pdu: readonly number[]): Buffer {
  return Buffer.concat([frame.subarray(0, 4), Buffer.of(0, 1 + pdu.length, frame[6]!, ...pdu)]);
}
/** Each register shows its own address. */
const ownAddresses = (asked: Asked): Buffer =>
  reply(
    asked,
    ...[asked.fc, 2 * asked.count],
    ...Array.from({ length: asked.count }, (_, n) => [
      (asked.start + n) >> 8,
      (asked.start + n) & 255,
    ]).flat(),
  );
const refusal = (asked: Asked, code: number): Buffer => reply(asked, asked.fc | 0x80, code);
const values = async (device: Driver, refs: readonly PointRef[]): Promise<unknown[]> =>
  (await device.read(refs, never())).map(({ value, why }) => value ?? why);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const run = (count: number): PointRef[] => Array.from({ length: count }, (_, n) => gauge(`hr:${n}:u16`));

/** Nothing else of the process runs meanwhile. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** A slave in a thread of its own, so that it answers while this thread is busy: registers show 7. */
const SLAVE_APART = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer((socket) =>
    socket.on('data', (frame) =>
      socket.write(Buffer.concat([frame.subarray(0, 4), Buffer.of(0, 5, frame[6], 3, 2, 0, 7)])),
    ),
  );
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;

test('an answer that came in time is good, however late a busy process looks at it', async () => {
  const thread = new Worker(SLAVE_APART, { eval: true });
  endings.push(() => thread.terminate());
  const [port] = (await once(thread, 'message')) as [number];
  const connection = connectionTo({ transport: 'tcp', host: '127.0.0.1', port, timeoutMs: 150 });
  endings.push(() => connection.close());
  const device = connection.device({ unit: 1 });
  await expect.poll(() => values(device, run(1)).catch(() => undefined)).toEqual([7]);
  for (let round = 0; round < 3; round += 1) {
    const reading = values(device, run(1));
    setImmediate(() => block(250)); // The request is out, the answer comes meanwhile.
    expect(await reading).toEqual([7]);
  }
});

test('a slave that says everything twice is read on one connection', async () => {
  const { device, connections } = await slave((asked) =>
    Buffer.concat([ownAddresses(asked), ownAddresses(asked)]),
  );
  for (let n = 0; n < 20; n += 1) expect(await values(device, [gauge(`hr:${n}:u16`)])).toEqual([n]);
  expect(connections()).toBe(1);
});

test('a server that hands what is late on to the next connection is not believed', async () => {
  const late: Buffer[] = [];
  const { device, connections } = await slave(
    (asked) => {
      const wrong = ownAddresses(asked);
      wrong[wrong.length - 1]! ^= 0x80;
      late.push(wrong);
      return connections() > 1 ? Buffer.concat(late.slice(0, -1)) : undefined;
    },
    { timeoutMs: 30 },
  );
  for (const end = Date.now() + 10_000; connections() < 3 && Date.now() < end; await pause(10))
    expect(await values(device, [gauge('hr:3:u16')]).catch((error: unknown) => error)).toMatchObject({
      code: 'timeout',
    });
  expect(connections()).toBeGreaterThanOrEqual(3);
});

test('a device that refused everything while it started is asked in whole blocks again', async () => {
  let isStarting = true;
  const { device, asked } = await slave((one) => (isStarting ? refusal(one, 2) : ownAddresses(one)));
  const refs = run(40);
  expect(await values(device, refs)).toEqual(refs.map(() => 'illegal data address'));
  isStarting = false;
  const numbers = refs.map((_, n) => n);
  expect(await values(device, refs)).toEqual(numbers);
  await values(device, refs);
  const before = asked.length;
  expect(await values(device, refs)).toEqual(numbers);
  expect(asked.length - before).toBe(1);
});

test('a write that waits when its device is closed is never sent', async () => {
  const { connection, asked } = await slave((one) => {
    setTimeout(() => one.socket.write(one.fc === 3 ? ownAddresses(one) : one.frame), 40);
    return undefined;
  });
  const [busy, closed] = [connection.device({ unit: 1 }), connection.device({ unit: 2 })];
  const reading = values(busy, run(1));
  const writing = closed.write!({ ref: gauge('hr:5:u16'), value: 9 }, never());
  const outcome = expect(writing).rejects.toMatchObject({ code: 'lost' });
  await closed.close();
  await outcome;
  await reading;
  await values(busy, run(1));
  expect(asked.map(({ fc }) => fc)).toEqual([3, 3]);
});

test('a write that is answered with another value is read back all the same', async () => {
  let held = 0;
  const { device } = await slave((one) => {
    if (one.fc === 6) held = Math.min(one.count, 100);
    return one.fc === 6 ? reply(one, 6, 0, 5, 0, held) : reply(one, 3, 2, 0, held);
  });
  const ref = gauge('hr:5:u16');
  expect(await device.write!({ ref, value: 60 }, never())).toMatchObject({ state: 'done', readBack: 60 });
  expect(await device.write!({ ref, value: 250 }, never())).toMatchObject({
    state: 'differs',
    readBack: 100,
  });
});

test('a device that keeps silent at long reads is read in shorter ones', async () => {
  const { device, asked } = await slave((one) => (one.count > 30 ? undefined : ownAddresses(one)), {
    timeoutMs: 30,
  });
  const refs = run(100);
  const numbers = refs.map((_, n) => n);
  let got: unknown;
  for (const end = Date.now() + 20_000; !Array.isArray(got) && Date.now() < end; await pause(10))
    got = await values(device, refs).catch((error: unknown) => error);
  expect(got).toEqual(numbers);
  await expect
    .poll(async () => {
      const before = asked.length;
      const all = await values(device, refs).catch(() => []);
      return all.length === 100 && asked.length - before <= 8;
    })
    .toBe(true);
});

test('a device that was away is read in whole blocks again', async () => {
  let isAway = true;
  const { device, asked } = await slave((one) => (isAway ? undefined : ownAddresses(one)), { timeoutMs: 20 });
  const refs = run(100);
  for (const end = Date.now() + 500; Date.now() < end; await pause(10))
    await values(device, refs).catch(() => undefined);
  isAway = false;
  await expect
    .poll(
      async () => {
        const before = asked.length;
        const all = await values(device, refs).catch(() => []);
        return all.length === 100 && asked.length - before === 1;
      },
      { timeout: 10_000 },
    )
    .toBe(true);
});

test('a search goes on past a unit at which the server hangs up', async () => {
  const { connection } = await slave((one) => {
    if (one.unit === 2) one.socket.destroy();
    return one.unit === 2 ? undefined : one.fc === 3 ? ownAddresses(one) : refusal(one, 1);
  });
  const found: unknown[] = [];
  for await (const { params } of connection.discover!({ from: 1, to: 3 }, never()))
    found.push(params['unit']);
  expect(found).toEqual([1, 3]);
});

test('what was being opened when the connection was closed is shut by the time that is told', async () => {
  let isShut = false;
  const line: ByteLine = {
    write: () => undefined,
    drain: () => Promise.resolve(),
    flush: () => Promise.resolve(),
    destroy() {
      isShut = true;
      return Promise.resolve();
    },
  };
  const bus = createBus({
    // It is open already when it hears that it is not wanted any more.
    dial: async () => {
      await pause(20);
      return line;
    },
    createFramer: createMbapFramer,
    pace: { gapMs: 0, byteMs: 0, isSerial: false, isNumbered: true },
    ...{ where: 'far', timeoutMs: 1_000, now: Date.now, random: () => 0.5, log: quietLog },
  });
  const opening = bus.open(never());
  await bus.close();
  expect(isShut).toBe(true);
  await opening;
  await expect(bus.open(never())).rejects.toMatchObject({ code: 'lost' });
});
