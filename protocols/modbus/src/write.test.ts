import type { Driver, PointRef, Written } from '@parkline/kit';
import { afterEach, describe, expect, test } from 'vitest';
import { type BenchSimulator, startBench } from '../../../tests/support/simulator.ts';
import { connectionTo, gauge, never } from './testing.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function bench(table: 'writable' | 'plain' | 'all-types' = 'writable'): Promise<{
  device: Driver;
  simulator: BenchSimulator;
  write(ref: PointRef, value: number | null): Promise<Written>;
  shows(...addresses: readonly string[]): Promise<unknown[]>;
}> {
  const simulator = await startBench({
    transport: 'tcp',
    buses: { line: [3, 4] },
    table: `test-bench/${table}`,
  });
  const connection = connectionTo({ transport: 'tcp', ...simulator.ports['line'] });
  endings.push(
    () => simulator.stop(),
    () => connection.close(),
  );
  const device = connection.device({ unit: 3 });
  return {
    device,
    simulator,
    write: (ref, value) => device.write!({ ref, value }, never()),
    async shows(...addresses) {
      const samples = await device.read(
        addresses.map((address) => gauge(address)),
        never(),
      );
      return samples.map(({ value, why }) => value ?? why);
    },
  };
}
const codes = (simulator: BenchSimulator): number[] => simulator.served.map(({ fc }) => fc);

describe('writes and reads back', () => {
  test.each([
    ['co:7', 1, [5, 1]],
    ['hr:10:u16', 65535, [6, 3]],
    ['hr:10:i16', -40, [6, 3]],
    ['hr:10:bcd16', 2359, [6, 3]],
    ['hr:12:u32', 4_000_000_000, [16, 3]],
    ['hr:12:i32:CDAB', -123_456, [16, 3]],
    ['hr:12:f32:BADC', 21.5, [16, 3]],
    ['hr:12:f32', 230.1, [16, 3]],
    ['hr:12:f64:DCBA', Math.PI, [16, 3]],
    ['hr:12:u64', Number.MAX_SAFE_INTEGER, [16, 3]],
    ['hr:12:i64:CDAB', -9_007_199_254_740_991, [16, 3]],
    ['hr:12:bcd32', 12_345_678, [16, 3]],
    ['hr:20:bit:3', 1, [22, 3]],
    ['hr:20:bits:4-7', 9, [22, 3]],
  ] as const)('%s = %d with functions %j', async (address, value, functions) => {
    const { write, shows, simulator } = await bench();
    const before = Date.now();
    const written = await write(gauge(address), value);
    expect(written).toMatchObject({ state: 'done', readBack: value });
    expect(written.at).toBeGreaterThanOrEqual(before);
    expect(codes(simulator)).toEqual(functions);
    expect(await shows(address)).toEqual([value]);
  });

  test('scale and offset are taken back, and the engineering value is shown', async () => {
    const { write, shows } = await bench();
    const room = { ...gauge('hr:5:i16', 0.1), offset: -40 };
    expect(await write(room, 21.5)).toMatchObject({ state: 'done', readBack: 21.5 });
    expect(await shows('hr:5:i16')).toEqual([615]);
  });

  test('bits of a register leave the others as they are', async () => {
    const { write, shows } = await bench();
    await write(gauge('hr:20:u16'), 0b1010_0000_0000_0101);
    await write(gauge('hr:20:bits:4-7'), 0b1111);
    await write(gauge('hr:20:bit:0'), 0);
    expect(await shows('hr:20:u16')).toEqual([0b1010_0000_1111_0100]);
  });
});

describe('refuses before anything is sent', () => {
  test.each([
    ['hr:10:u16', 1, 1.5, /u16 holds whole numbers up to 2\^53, not 1.5/],
    ['hr:10:u16', 1, 65_536, /u16 holds 0..65535, not 65536/],
    ['hr:10:u16', 1, -1, /u16 holds 0..65535/],
    ['hr:10:i16', 0.1, 21.55, /not 215.5/],
    ['hr:10:f32', 1, 16_777_217, /f32 cannot hold 16777217 exactly/],
    ['hr:10:bcd16', 1, 12_345, /bcd16 holds 0..9999/],
    ['hr:10:u64', 1, 2 ** 60, /2\^53/],
    ['hr:10:str:4', 1, 1, /not written as str/],
    ['hr:10:bit:3', 1, 2, /these bits hold 0..1, not 2/],
    ['hr:10:bits:4-7', 1, 16, /these bits hold 0..15, not 16/],
    ['co:3', 1, 0.5, /a coil holds 0 or 1, not 0.5/],
    ['hr:10:f32', 1, NaN, /NaN is no number/],
    ['hr:10:f32', 1, Infinity, /Infinity is no number/],
    ['ir:10:u16', 1, 1, /can only be read/],
    ['di:10', 1, 1, /can only be read/],
    ['hr:nowhere:u16', 1, 1, /'nowhere' is not a register number/],
  ] as const)('%s with scale %d = %d', async (address, scale, value, why) => {
    const { write, simulator } = await bench();
    await expect(write(gauge(address, scale), value)).rejects.toMatchObject({ code: 'config' });
    await expect(write(gauge(address, scale), value)).rejects.toThrow(why);
    expect(simulator.served).toEqual([]);
  });

  test('nothing, and what the device would not take for a measurement', async () => {
    const { write, simulator } = await bench();
    await expect(write(gauge('hr:10:u16'), null)).rejects.toThrow(/no lower priority/);
    const limited = { ...gauge('hr:10:u16'), limits: { sentinels: [65535], max: 1_000 } };
    await expect(write(limited, 65_535)).rejects.toThrow(/65535 means no measurement/);
    await expect(write(limited, 1_001)).rejects.toThrow(/1001 is outside/);
    expect(simulator.served).toEqual([]);
  });

  test('a value of more digits than can be told apart, and one that a float32 shows as no measurement', async () => {
    const { write, simulator } = await bench();
    await expect(write(gauge('hr:12:i64', 0.001), 9_007_199_254_740.99)).rejects.toThrow(/15 digits/);
    const limited = { ...gauge('hr:12:f32'), limits: { sentinels: [3.4028235e38] } };
    await expect(write(limited, 3.4028234663852886e38)).rejects.toThrow(/means no measurement/);
    expect(simulator.served).toEqual([]);
  });

  test('the place is named: connection, unit, register', async () => {
    const { write, simulator } = await bench();
    const { port } = simulator.ports['line']!;
    await expect(write(gauge('hr:10:u16'), -1)).rejects.toMatchObject({
      where: `127.0.0.1:${port} unit 3 register 10`,
    });
    await expect(write(gauge('co:10'), 7)).rejects.toMatchObject({
      where: `127.0.0.1:${port} unit 3 coil 10`,
    });
  });
});

describe('a device that knows fewer functions', () => {
  test('is written with 15 and 16 in place of 5 and 6', async () => {
    const { write, simulator } = await bench('plain');
    expect(await write(gauge('co:3'), 1)).toMatchObject({ state: 'done' });
    expect(await write(gauge('hr:3:u16'), 7)).toMatchObject({ state: 'done' });
    expect(codes(simulator)).toEqual([5, 15, 1, 6, 16, 3]);
  });

  test('is not written a whole register for a bit, unless the address says so', async () => {
    const { write, shows } = await bench('plain');
    await write(gauge('hr:3:u16'), 0x8001);
    await expect(write(gauge('hr:3:bit:4'), 1)).rejects.toMatchObject({ code: 'refused' });
    await expect(write(gauge('hr:3:bit:4'), 1)).rejects.toThrow(/end the address in :rmw/);
    expect(await shows('hr:3:u16')).toEqual([0x8001]);
    expect(await write(gauge('hr:3:bit:4:rmw'), 1)).toMatchObject({ state: 'done' });
    expect(await write(gauge('hr:3:bits:0-3:rmw'), 6)).toMatchObject({ state: 'done' });
    expect(await shows('hr:3:u16')).toEqual([0x8016]);
  });
});

test.each([
  [2, 'illegal data address'],
  [3, 'illegal data value'],
  [4, 'device failure'],
  [6, 'device busy'],
] as const)('exception %i is a refusal that names the function and the place', async (code, why) => {
  const { write, simulator } = await bench();
  simulator.fault({ bus: 'line', times: 1, fault: { kind: 'exception', code } });
  const writing = write(gauge('hr:9:u16'), 1);
  await expect(writing).rejects.toMatchObject({ code: 'refused' });
  simulator.fault({ bus: 'line', times: 1, fault: { kind: 'exception', code } });
  await expect(write(gauge('hr:9:u16'), 1)).rejects.toThrow(`${why}: function 6 (`);
});

test('a device that has begun and takes longer is read back', async () => {
  const { write, simulator } = await bench();
  simulator.fault({ bus: 'line', times: 1, fault: { kind: 'exception', code: 5 } });
  expect(await write(gauge('hr:9:u16'), 1)).toEqual({
    state: 'differs',
    at: expect.any(Number) as number,
    readBack: 0,
    detail: 'it shows 0',
  });
  expect(codes(simulator)).toEqual([6, 3, 3, 3]);
});

test('a place that cannot be read back is not called done', async () => {
  const { write, simulator } = await bench();
  const writing = write(gauge('hr:9:u16'), 1);
  await expect.poll(() => simulator.served.length).toBeGreaterThan(0);
  simulator.fault({ bus: 'line', fault: { kind: 'exception', code: 4 } });
  const written = await writing;
  if (written.state !== 'done') expect(written.detail).toBe('read back: device failure');
});

test('nobody knows whether it was written: a time-out', async () => {
  const { write, simulator } = await bench();
  simulator.fault({ bus: 'line', fault: { kind: 'silence' } });
  await expect(write(gauge('hr:9:u16'), 1)).rejects.toMatchObject({ code: 'timeout' });
});

test('a write goes ahead of all reads that wait, and asks a unit that was silent', async () => {
  const { device, write, simulator } = await bench();
  simulator.fault({ bus: 'line', times: 1, fault: { kind: 'delay', ms: 60 } });
  const far = Array.from({ length: 10 }, (_, n) => gauge(`hr:${n * 20}:u16`));
  const reads = far.map((ref) => device.read([ref], never()));
  await expect.poll(() => simulator.served.length).toBe(1);
  await write(gauge('co:1'), 1);
  expect(codes(simulator).slice(0, 2)).toEqual([3, 5]);
  expect(codes(simulator).indexOf(1)).toBeLessThanOrEqual(3); // Read back; a poll that had its turn may be between.
  await Promise.all(reads);

  simulator.fault({ bus: 'line', times: 1, fault: { kind: 'silence' } });
  await expect(device.read([far[0]!], never())).rejects.toMatchObject({ code: 'timeout' });
  await expect(device.read([far[0]!], never())).rejects.toThrow(/asked again in/);
  expect(await write(gauge('hr:1:u16'), 5)).toMatchObject({ state: 'done' });
  expect((await device.read([far[0]!], never()))[0]?.quality).toBe('good');
});
