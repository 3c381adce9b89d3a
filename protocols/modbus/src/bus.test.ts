import { DriverError, type PointRef, type Sample } from '@parkline/kit';
import { afterEach, describe, expect, test } from 'vitest';
import { type BenchLayout, type BenchSimulator, startBench } from '../../../tests/support/simulator.ts';
import { connectionTo, gauge, never } from './testing.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function benchWith(layout: Partial<BenchLayout> = {}): Promise<BenchSimulator> {
  const bench = await startBench({ transport: 'tcp', buses: { line: [1, 2, 3] }, ...layout });
  endings.push(() => bench.stop());
  return bench;
}

function lineOf(bench: BenchSimulator, params: object = {}) {
  const connection = connectionTo({ transport: 'tcp', ...bench.ports.line, ...params });
  endings.push(() => connection.close());
  return connection;
}

/** Points far apart, so that each is a request of its own, with the only value each may ever show. */
const lone: readonly (readonly [PointRef, number])[] = [
  [gauge('hr:0:u16'), 65535],
  [gauge('hr:16:f32'), 230.1],
  [gauge('hr:24:bcd16'), 9876],
  [gauge('hr:40:u16'), 4711],
  [gauge('ir:10:u16'), 31],
];
const truth = new Map(lone.map(([ref, value]) => [ref.pointId, value]));
const isTrue = ({ pointId, value, quality }: Sample): boolean =>
  quality === 'good' && value === truth.get(pointId);
const outcome = async (reading: Promise<Sample[]>): Promise<Sample[] | { code: string }> =>
  reading.catch((error: unknown) => error as { code: string });

describe.each(['tcp', 'rtu-over-tcp'] as const)('on %s', (transport) => {
  const start = async (params: object = {}) => {
    const bench = await benchWith({ transport });
    return { bench, connection: lineOf(bench, { transport, ...params }) };
  };

  test('of a slave that always answers late nothing is ever believed, and its neighbour is not touched', async () => {
    const { bench, connection } = await start({ timeoutMs: 60 });
    bench.fault({ bus: 'line', unit: 1, fault: { kind: 'late', ms: 150 } });
    const [late, well] = [connection.device({ unit: 1 }), connection.device({ unit: 2 })];
    let good = 0;
    for (let round = 0; round < 30; round += 1) {
      const [ref] = lone[round % lone.length]!;
      // A busy machine may be too slow even to connect in this time: an error all the same, never a value.
      expect(await outcome(late.read([ref], never()))).toBeInstanceOf(DriverError);
      const got = await outcome(well.read([ref], never()));
      if (!Array.isArray(got)) continue;
      expect(got.every(isTrue)).toBe(true);
      good += 1;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(good).toBeGreaterThan(10);
  });

  test('garbage, wrong units, hang-ups and silence in any order never become a value', async () => {
    const { bench, connection } = await start({ timeoutMs: 50 });
    const device = connection.device({ unit: 1 });
    const faults = [
      { kind: 'garbage' },
      { kind: 'garbage', hex: '0001000000050103' },
      { kind: 'wrong-unit', unit: 2 },
      { kind: 'close' },
      { kind: 'silence' },
      { kind: 'late', ms: 75 },
    ] as const;
    for (let round = 0; round < 24; round += 1) {
      bench.fault({ bus: 'line', times: 1, fault: faults[round % faults.length]! });
      const [ref] = lone[round % lone.length]!;
      const tries: boolean[] = [];
      while (!tries.includes(true)) {
        const got = await outcome(device.read([ref], never()));
        tries.push(Array.isArray(got) && got.every(isTrue));
        if (Array.isArray(got)) expect(tries.at(-1)).toBe(true);
        else await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  });

  test('what garbage broke is a garbage error, and the next read has a link of its own', async () => {
    const { bench, connection } = await start();
    const device = connection.device({ unit: 1 });
    await device.read([gauge('hr:0:u16')], never());
    bench.fault({ bus: 'line', times: 1, fault: { kind: 'wrong-unit', unit: 9 } });
    await expect(device.read([gauge('hr:0:u16')], never())).rejects.toMatchObject({ code: 'garbage' });
    expect((await device.read([gauge('hr:0:u16')], never())).every(isTrue)).toBe(true);
  });

  test('a read that was given up while in flight leaves nothing behind for the next', async () => {
    const { bench, connection } = await start();
    bench.fault({ bus: 'line', times: 1, fault: { kind: 'delay', ms: 30 } });
    const device = connection.device({ unit: 1 });
    const stop = new AbortController();
    const given = outcome(device.read([lone[0]![0]], stop.signal));
    setTimeout(() => stop.abort(), 10);
    expect(await given).toMatchObject({ code: 'aborted' });
    expect((await device.read([lone[1]![0]], never())).every(isTrue)).toBe(true);
  });
});

test('a refused register is found by cutting the block, once; later reads go round it', async () => {
  const bench = await benchWith();
  const device = lineOf(bench, { gapRegisters: 0 }).device({ unit: 1 });
  bench.fault({ bus: 'line', unit: 1, addr: [20, 20], fault: { kind: 'exception', code: 2 } });
  const refs = ['hr:16:f32', 'hr:18:f32:CDAB', 'hr:20:f64', 'hr:24:bcd16', 'hr:25:bcd32'].map((address) =>
    gauge(address),
  );
  const first = await device.read(refs, never());
  expect(first.map(({ value, why }) => why ?? value)).toEqual([
    230.1,
    -0.1,
    'illegal data address',
    9876,
    12345678,
  ]);
  const asked = bench.served.length;
  expect(asked).toBeGreaterThan(3);
  const second = await device.read(refs, never());
  expect(second.map(({ value }) => value)).toEqual([230.1, -0.1, null, 9876, 12345678]);
  expect(bench.served.slice(asked).map(({ addr, count }) => [addr, count])).toEqual([
    [16, 4],
    [20, 4],
    [24, 3],
  ]);
});

test.each([
  [1, 'illegal function'],
  [4, 'device failure'],
  [6, 'device busy'],
  [99, 'exception 99'],
] as const)('exception %i makes its points bad and says "%s"', async (code, why) => {
  const bench = await benchWith();
  bench.fault({ bus: 'line', addr: [0, 1], fault: { kind: 'exception', code } });
  const samples = await lineOf(bench)
    .device({ unit: 1 })
    .read([gauge('hr:0:u16'), gauge('ir:10:u16')], never());
  expect(samples).toMatchObject([{ quality: 'bad', value: null, why }, { value: 31 }]);
});

test('an address that is none makes its point bad and its neighbours are read', async () => {
  const bench = await benchWith();
  const samples = await lineOf(bench)
    .device({ unit: 1 })
    .read([gauge('hr:oops:u16'), gauge('hr:0:u16')], never());
  expect(samples).toMatchObject([
    { quality: 'bad', why: expect.stringContaining("'oops'") as string },
    { value: 65535 },
  ]);
});

test('a dead unit costs its neighbours one time-out now and then, not one a poll', async () => {
  const bench = await benchWith();
  const connection = lineOf(bench, { timeoutMs: 200 });
  bench.fault({ bus: 'line', unit: 3, fault: { kind: 'silence' } });
  const [one, two, dead] = [1, 2, 3].map((unit) => connection.device({ unit }));
  let polls = 0;
  const until = Date.now() + 1_500;
  while (Date.now() < until) {
    polls += 1;
    const all = [one!, two!].map((device) =>
      device.read(
        lone.map(([ref]) => ref),
        never(),
      ),
    );
    const lost = outcome(
      dead!.read(
        lone.map(([ref]) => ref),
        never(),
      ),
    );
    for (const samples of await Promise.all(all)) expect(samples.every(isTrue)).toBe(true);
    expect(await lost).toMatchObject({ code: 'timeout' });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // Its pauses double: a handful of time-outs in 1.5 s, whatever the number of polls.
  expect(bench.served.filter(({ unit }) => unit === 3).length).toBeLessThanOrEqual(5);
  expect(polls).toBeGreaterThan(5);
});

test.each([
  ['garbage', { kind: 'garbage', hex: '00010000000301ff' }],
  ['hang-ups', { kind: 'close' }],
] as const)(
  'a unit that answers with %s does not take its neighbours along, though it is asked first',
  async (_what, fault) => {
    const bench = await benchWith();
    bench.fault({ bus: 'line', unit: 3, fault });
    const connection = lineOf(bench);
    const [bad, well] = [connection.device({ unit: 3 }), connection.device({ unit: 1 })];
    for (let round = 0; round < 10; round += 1) {
      const broken = outcome(bad.read([gauge('hr:0:u16')], never()));
      expect(
        (
          await well.read(
            lone.map(([ref]) => ref),
            never(),
          )
        ).every(isTrue),
      ).toBe(true);
      expect(await broken).toMatchObject({ name: 'DriverError' });
    }
  },
);

test('a unit the gateway does not find is left alone like a silent one', async () => {
  const bench = await benchWith();
  const missing = lineOf(bench).device({ unit: 77 });
  await expect(missing.read([gauge('hr:0:u16')], never())).rejects.toMatchObject({ code: 'timeout' });
  await expect(missing.read([gauge('hr:0:u16')], never())).rejects.toThrow(/silent; asked again in \d+ ms/);
  expect(bench.served).toHaveLength(1);
});

test('units take turns: one with many blocks does not keep another waiting', async () => {
  const bench = await benchWith({ latencyMs: 5 });
  const connection = lineOf(bench);
  const many = Array.from({ length: 6 }, () =>
    connection.device({ unit: 1 }).read([gauge('hr:0:u16')], never()),
  );
  const other = connection.device({ unit: 2 }).read([gauge('hr:0:u16')], never());
  await Promise.all([...many, other]);
  expect(bench.served.map(({ unit }) => unit).indexOf(2)).toBeLessThanOrEqual(2);
});

test('interFrameMs keeps requests apart', async () => {
  const bench = await benchWith();
  const device = lineOf(bench, { interFrameMs: 25 }).device({ unit: 1 });
  const began = Date.now();
  await device.read(
    lone.map(([ref]) => ref),
    never(),
  );
  expect(bench.served).toHaveLength(4);
  expect(Date.now() - began).toBeGreaterThanOrEqual(3 * 24); // Between them.
});

test('nobody listens: lost at once, and then not dialled in a tight loop', async () => {
  const bench = await benchWith();
  const device = lineOf(bench).device({ unit: 1 });
  await bench.unplug('line');
  await expect(device.connect(never())).rejects.toMatchObject({ code: 'lost' });
  await expect(device.read([gauge('hr:0:u16')], never())).rejects.toThrow(/tried again in \d+ ms/);
});

test('closing the connection ends what waits and what comes', async () => {
  const bench = await benchWith();
  bench.fault({ bus: 'line', fault: { kind: 'silence' } });
  const connection = lineOf(bench, { timeoutMs: 5_000 });
  const device = connection.device({ unit: 1 });
  const waiting = [device.read([gauge('hr:0:u16')], never()), device.read([gauge('hr:2:u16')], never())].map(
    outcome,
  );
  await expect.poll(() => bench.served.length).toBe(1);
  await connection.close();
  for (const end of [...waiting, outcome(device.read([gauge('hr:0:u16')], never()))]) {
    expect(await end).toMatchObject({ code: 'lost' });
  }
  await connection.close();
});

test.each([
  [{ transport: 'serial', host: 'x', port: 1 }, /transport/],
  [{ transport: 'tcp', port: 1 }, /host/],
  [{ transport: 'tcp', host: 'x', port: 70_000 }, /port/],
  [{ transport: 'tcp', host: 'x', timeoutMs: 1 }, /timeoutMs/],
] as const)('connection params %j are refused by field', (params, why) => {
  expect(() => connectionTo(params)).toThrow(expect.objectContaining({ code: 'config' }));
  expect(() => connectionTo(params)).toThrow(why);
});

test.each([
  [{}, /unit/],
  [{ unit: 0 }, /unit/],
  [{ unit: 1, wordOrder: 'middle' }, /wordOrder/],
] as const)('device params %j are refused by field', (params, why) => {
  const connection = connectionTo({ transport: 'tcp', host: '127.0.0.1', port: 1 });
  expect(() => connection.device(params)).toThrow(expect.objectContaining({ code: 'config' }));
  expect(() => connection.device(params)).toThrow(why);
});
