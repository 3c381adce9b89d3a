import { type ConformanceBench, describeConformance } from '@parkline/kit/conformance';
import { expect, test } from 'vitest';
import { behindSerial, type MeterBench, startMeters } from '../../../tests/support/meters.ts';
import { startPtyPair } from '../../../tests/support/pty-pair.ts';
import { connectionTo, gauge, never, register } from './testing.ts';

const water = { type: '10', address: '00001234567890' };
const heat = { type: '20', address: '00001234567891' };

function benchOf(
  meters: MeterBench,
  params: object,
  wires: Pick<ConformanceBench, 'unplug' | 'plug'> & { close(): Promise<void> },
): ConformanceBench {
  const connection = connectionTo(params);
  return {
    driver: connection.device({ ...water, idOrder: 'high-first' }),
    good: [
      { ref: register('901F:volume', 100), value: 432109 },
      { ref: gauge('901F:volume_settled'), value: 123.45678 },
      { ref: gauge('901F:valve'), value: 0 },
      { ref: gauge('901F:battery_low'), value: 1 },
      { ref: gauge('901F:st2'), value: 1 },
    ],
    refused: gauge('901F:heat'),
    silence: async () => void meters.fault({ fault: { kind: 'silence' } }),
    speak: async () => meters.clear(),
    unplug: wires.unplug,
    plug: wires.plug,
    patienceMs: 4_000,
    tearDown: async () => {
      await connection.close();
      await wires.close();
      await meters.stop();
    },
  };
}

const start = (): Promise<MeterBench> =>
  startMeters('cjt188', [
    { key: 'water', address: water.address, table: 'test-bench/cjt188-water' },
    { key: 'heat', address: heat.address, table: 'test-bench/cjt188-heat' },
  ]);

describeConformance('CJ/T 188 over TCP', async () => {
  const meters = await start();
  const { unplug, plug } = meters;
  const close = (): Promise<void> => Promise.resolve();
  return benchOf(meters, { transport: 'tcp', host: '127.0.0.1', port: meters.port }, { unplug, plug, close });
});

const probe = await startPtyPair();
const why = 'why' in probe ? probe.why : undefined;
if (!('why' in probe)) await probe.close();

test.skipIf(why !== undefined)(`CJ/T 188 on a serial port (${why ?? 'python3 makes one'})`, async () => {
  const meters = await start();
  const serial = await behindSerial(meters.port);
  if ('why' in serial) throw new Error(serial.why);
  const { path, ...wires } = serial;
  const bench = benchOf(meters, { transport: 'serial', path, parity: 'none', baudRate: 9_600 }, wires);
  const samples = await bench.driver.read(
    bench.good.map(({ ref }) => ref),
    never(),
  );
  expect(samples.map(({ value }) => value)).toEqual(bench.good.map(({ value }) => value));
  await serial.unplug();
  await expect(bench.driver.read([bench.good[0]!.ref], never())).rejects.toMatchObject({ code: 'lost' });
  await bench.tearDown();
});
