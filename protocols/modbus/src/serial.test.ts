import type { Connection } from '@parkline/kit';
import { afterEach, describe, expect, test } from 'vitest';
import { startPtyPair } from '../../../tests/support/pty-pair.ts';
import { type SerialBench, startSerialBench } from '../../../tests/support/serial-bench.ts';
import { type BenchSimulator, startBench } from '../../../tests/support/simulator.ts';
import { connectionTo, gauge, never } from './testing.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const trial = await startPtyPair();
const why = 'why' in trial ? trial.why : undefined;
if (!('why' in trial)) await trial.close();

async function line(
  params: object = {},
): Promise<{ bench: BenchSimulator; connection: Connection; port: SerialBench }> {
  const bench = await startBench({ transport: 'rtu-over-tcp', buses: { line: [1, 2, 3] } });
  const port = await startSerialBench(bench.ports['line']!);
  if ('why' in port) throw new Error(port.why);
  const connection = connectionTo({ transport: 'rtu', path: port.path, baudRate: 115_200, ...params });
  endings.push(
    () => bench.stop(),
    () => port.close(),
    () => connection.close(),
  );
  return { bench, connection, port };
}

describe.skipIf(why)(`a serial line${why === undefined ? '' : ` (NOT RUN: ${why})`}`, () => {
  test.each([
    [1_200, 'even', 3.5 * (11 / 1.2)],
    [1_200, 'none', 3.5 * (10 / 1.2)],
    [38_400, 'even', 1.75],
  ] as const)(
    'at %i baud, parity %s, is silent for %d ms between frames',
    async (baudRate, parity, gapMs) => {
      const { bench, connection } = await line({ baudRate, parity });
      const device = connection.device({ unit: 1, gapRegisters: 0 });
      for (const address of ['hr:0:u16', 'hr:6:i32', 'hr:24:bcd16', 'hr:40:u16'])
        await device.read([gauge(address)], never());
      const gaps = bench.served.slice(1).map(({ t }, at) => t - bench.served[at]!.t);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(Math.floor(gapMs) - 1); // The log's clock has whole ms.
    },
  );

  test('a unit that speaks late into the answers of others spoils none of them', async () => {
    const { bench, connection } = await line({ timeoutMs: 120 });
    const [late, well] = [1, 2].map((unit) => connection.device({ unit }));
    bench.fault({ bus: 'line', unit: 1, fault: { kind: 'late', ms: 150 } });
    let good = 0;
    const end = Date.now() + 15_000; // A busy machine may make the other late too: it is left alone then for a while.
    while (good < 20 && Date.now() < end) {
      const missed = late!.read([gauge('hr:6:i32')], never()).catch((error: unknown) => error);
      bench.fault({ bus: 'line', unit: 2, times: 1, fault: { kind: 'delay', ms: 40 } });
      const samples = await well!.read([gauge('hr:2:u32')], never()).catch(() => []);
      for (const { value } of samples) {
        expect(value).toBe(305_419_896);
        good += 1;
      }
      expect(await missed).toMatchObject({ code: 'timeout' });
      if (samples.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(good).toBeGreaterThanOrEqual(20);
    expect(bench.served.filter(({ unit }) => unit === 1).length).toBeGreaterThan(1);
  });

  test('a bent answer is garbage at once, and the next one is believed when the unit is in step', async () => {
    const { bench, connection } = await line({ timeoutMs: 1_000 });
    const device = connection.device({ unit: 1 });
    await device.read([gauge('hr:0:u16')], never());
    // Unit, function and byte count as asked; the check sum is not theirs.
    bench.fault({ bus: 'line', times: 1, fault: { kind: 'garbage', hex: '010302ffff0000' } });
    await expect(device.read([gauge('hr:0:u16')], never())).rejects.toMatchObject({ code: 'garbage' });
    expect((await device.read([gauge('hr:40:u16')], never()))[0]).toMatchObject({ value: 4_711 });
    expect(bench.served.map(({ fc }) => fc)).toEqual([3, 3, 8, 3]);
  });

  test('writes over it', async () => {
    const bench = await startBench({
      transport: 'rtu-over-tcp',
      buses: { line: [7] },
      table: 'test-bench/writable',
    });
    endings.push(() => bench.stop());
    const port = await startSerialBench(bench.ports['line']!);
    if ('why' in port) throw new Error(port.why);
    endings.push(() => port.close());
    const connection = connectionTo({ transport: 'rtu', path: port.path, baudRate: 115_200 });
    endings.push(() => connection.close());
    const device = connection.device({ unit: 7 });
    for (const [address, value] of [
      ['co:5', 1],
      ['hr:5:f32', 21.7],
      ['hr:9:bits:4-7', 5],
    ] as const)
      expect(await device.write!({ ref: gauge(address), value }, never())).toMatchObject({
        state: 'done',
        readBack: value,
      });
  });

  test('two connections cannot share a port, and the second says so', async () => {
    const { connection, port } = await line();
    await connection.device({ unit: 1 }).connect(never());
    const other = connectionTo({ transport: 'rtu', path: port.path });
    endings.push(() => other.close());
    await expect(other.device({ unit: 1 }).connect(never())).rejects.toMatchObject({
      code: 'lost',
      where: `${port.path} 9600 8E1`,
    });
  });
});

test('a port that is not there is lost, with its name and how it would be spoken', async () => {
  const connection = connectionTo({ transport: 'rtu', path: '/dev/nowhere', parity: 'odd', stopBits: 2 });
  await expect(connection.device({ unit: 1 }).connect(never())).rejects.toMatchObject({
    code: 'lost',
    where: '/dev/nowhere 9600 8O2',
  });
  await connection.close();
});

test.each([
  [{}, /path/],
  [{ path: '/dev/x', parity: 'mark' }, /parity must be one of even, none, odd/],
  [{ path: '/dev/x', stopBits: 3 }, /stopBits must be one of 1, 2/],
  [{ path: '/dev/x', baudRate: 9.6 }, /baudRate/],
  [{ path: '/dev/x', dataBits: 7 }, /dataBits/],
] as const)('serial params %j are refused by field', (params, fault) => {
  expect(() => connectionTo({ transport: 'rtu', ...params })).toThrow(fault);
  expect(() => connectionTo({ transport: 'rtu', ...params })).toThrow(
    expect.objectContaining({ code: 'config' }),
  );
});
