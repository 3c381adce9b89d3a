import { type ConformanceBench, describeConformance } from '@parkline/kit/conformance';
import { describe, test } from 'vitest';
import { behindSerial, type MeterBench, startMeters } from '../../../tests/support/meters.ts';
import { startPtyPair } from '../../../tests/support/pty-pair.ts';
import { connectionTo, gauge, register } from './testing.ts';

const address = '000000012345';

function benchOf(
  meters: MeterBench,
  params: object,
  wires: Pick<ConformanceBench, 'unplug' | 'plug'> & { close(): Promise<void> },
): ConformanceBench {
  const connection = connectionTo(params);
  return {
    driver: connection.device({ address }),
    good: [
      { ref: register('00010000', 100), value: 12345678 },
      { ref: gauge('00000000'), value: -1234.5 },
      { ref: gauge('02010100'), value: 220.1 },
      { ref: gauge('0201FF00/3'), value: 222.3 },
      { ref: gauge('02020100'), value: -5.125 },
      { ref: gauge('02030000:-XX.XXXX', 1000), value: -3604.2 },
      { ref: gauge('02800002'), value: 49.98 },
    ],
    refused: gauge('02070100'),
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
  startMeters('dlt645', [
    { key: 'm', address, table: 'test-bench/dlt645' },
    { key: 'other', address: '000000012346', table: 'test-bench/dlt645' },
  ]);

describeConformance('DL/T 645-2007 over TCP', async () => {
  const meters = await start();
  const { unplug, plug } = meters;
  return benchOf(
    meters,
    { transport: 'tcp', host: '127.0.0.1', port: meters.port },
    {
      ...{ unplug, plug },
      close: () => Promise.resolve(),
    },
  );
});

const probe = await startPtyPair();
if ('why' in probe) describe('DL/T 645-2007 on a serial port', () => test.skip(probe.why, () => undefined));
else {
  await probe.close();
  describeConformance('DL/T 645-2007 on a serial port', async () => {
    const meters = await start();
    const serial = await behindSerial(meters.port);
    if ('why' in serial) throw new Error(serial.why);
    return benchOf(
      meters,
      { transport: 'serial', path: serial.path, parity: 'none', baudRate: 9_600 },
      {
        unplug: serial.unplug,
        plug: serial.plug,
        close: serial.close,
      },
    );
  });
}
