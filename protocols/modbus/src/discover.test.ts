import { type Connection, DriverError, type Found, type FoundDevice } from '@parkline/kit';
import { afterEach, describe, expect, test } from 'vitest';
import { startSerialBench } from '../../../tests/support/serial-bench.ts';
import { type BenchSimulator, startBench } from '../../../tests/support/simulator.ts';
import { connectionTo, gauge, never } from './testing.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

type Transport = 'tcp' | 'rtu-over-tcp' | 'rtu';

async function line(
  transport: Transport,
  units: readonly number[],
  table = 'test-bench/writable',
): Promise<{ simulator: BenchSimulator; connection: Connection } | { why: string }> {
  const spoken = transport === 'rtu' ? 'rtu-over-tcp' : transport;
  const simulator = await startBench({ transport: spoken, buses: { line: units }, table });
  endings.push(() => simulator.stop());
  const place = simulator.ports['line']!;
  const port = transport === 'rtu' ? await startSerialBench(place) : undefined;
  if (port && 'why' in port) return port;
  if (port) endings.push(() => port.close());
  const way = port ? { path: port.path, baudRate: 115_200 } : place;
  const connection = connectionTo({ transport, ...way });
  endings.push(() => connection.close());
  return { simulator, connection };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('discover', () => {
  test.each(['tcp', 'rtu-over-tcp', 'rtu'] as const)(
    'on %s finds the units there are, in order, with what they say they are',
    async (transport) => {
      const bench = await line(transport, [2, 5]);
      if ('why' in bench) return void process.stderr.write(`NOT RUN: ${bench.why}\n`);
      const found = await all(bench.connection.discover!({ from: 1, to: 6 }, never()));
      expect(found).toEqual(
        [2, 5].map((unit): FoundDevice => ({
          params: { unit },
          label: 'Parkline Writable bench',
          facts: {
            vendor: 'Parkline',
            product: 'BENCH-1',
            revision: '1.4',
            productName: 'Writable bench',
          },
        })),
      );
      const device = bench.connection.device(found[0]!.params);
      expect((await device.read([gauge('hr:0:u16')], never()))[0]).toMatchObject({ value: 0 });
    },
  );

  test('tells each unit as soon as it is found, and stops with its signal', async () => {
    const bench = await line('tcp', [1, 2, 3]);
    if ('why' in bench) throw new Error(bench.why);
    const stop = new AbortController();
    const seen: unknown[] = [];
    const searching = (async () => {
      for await (const { params } of bench.connection.discover!({}, stop.signal)) {
        seen.push(params);
        if (seen.length === 2) stop.abort();
      }
    })();
    await expect(searching).rejects.toMatchObject({ code: 'aborted' });
    expect(seen).toEqual([{ unit: 1 }, { unit: 2 }]);
  });

  test('a whole line of silence is searched without counting as a fault of a unit or of the line', async () => {
    const bench = await line('tcp', [9]);
    if ('why' in bench) throw new Error(bench.why);
    const silence = bench.simulator.fault({ bus: 'line', times: 4, fault: { kind: 'silence' } });
    expect(silence).toBeGreaterThan(0);
    expect((await all(bench.connection.discover!({ from: 6, to: 9 }, never()))).length).toBe(0);
    const [sample] = await bench.connection.device({ unit: 9 }).read([gauge('hr:0:u16')], never());
    expect(sample).toMatchObject({ value: 0, quality: 'good' });
  });

  test('a unit that knows neither function is found all the same', async () => {
    const bench = await line('tcp', [4], 'test-bench/plain');
    if ('why' in bench) throw new Error(bench.why);
    expect(await all(bench.connection.discover!({ from: 4, to: 4 }, never()))).toEqual([
      { params: { unit: 4 }, label: 'unit 4', facts: {} },
    ]);
  });

  test('nobody listens: lost, not an empty list', async () => {
    const bench = await line('tcp', [1]);
    if ('why' in bench) throw new Error(bench.why);
    await bench.simulator.unplug('line');
    await expect(all(bench.connection.discover!({}, never()))).rejects.toBeInstanceOf(DriverError);
  });
});

test('browse tells what the device says it is and the texts its configuration names', async () => {
  const bench = await line('tcp', [3]);
  if ('why' in bench) throw new Error(bench.why);
  const words = Buffer.from('SN-0042 ').swap16();
  const device = bench.connection.device({
    unit: 3,
    texts: { serial: 'hr:50:str:4', swapped: 'hr:60:str:4:BADC' },
  });
  for (const [at, start] of [0, 1, 2, 3].flatMap((n) => [[n, 50 + n] as const, [n, 60 + n] as const])) {
    const value = start < 60 ? words.readUInt16LE(2 * at) : words.readUInt16BE(2 * at);
    await device.write!({ ref: gauge(`hr:${start}:u16`), value }, never());
  }
  const found = await all<Found>(device.browse(never()));
  expect(found.map(({ address, label, facts }) => [address, label, facts?.['value']])).toEqual([
    ['id:vendor', 'vendor', 'Parkline'],
    ['id:product', 'product', 'BENCH-1'],
    ['id:revision', 'revision', '1.4'],
    ['id:productName', 'productName', 'Writable bench'],
    ['hr:50:str:4', 'serial', 'SN-0042'],
    ['hr:60:str:4:BADC', 'swapped', 'SN-0042'],
  ]);
  expect(found.every(({ writable }) => !writable)).toBe(true);
});

test('a text of the configuration that is no address is refused with its words', async () => {
  const bench = await line('tcp', [3]);
  if ('why' in bench) throw new Error(bench.why);
  expect(() => bench.connection.device({ unit: 3, texts: { serial: 'hr:x:str:4' } })).toThrow(/'x'/);
});
