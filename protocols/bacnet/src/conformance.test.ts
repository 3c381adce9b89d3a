import { type ConformanceBench, describeConformance } from '@parkline/kit/conformance';
import { type BacnetBenchDevice, startBacnetBench } from '../../../tests/support/bacnet.ts';
import { connectionTo, gauge } from './testing.ts';

async function setUp(
  traits: NonNullable<BacnetBenchDevice['traits']>,
  params: object = {},
): Promise<ConformanceBench> {
  const objects = { 'AI-1': 21.4, 'AO-1': 55, 'AV-3': -0.125, 'BI-1': 1, 'BO-1': 0, 'BV-7': 1 };
  const bench = await startBacnetBench([{ instance: 2001, objects, traits }]);
  const connection = connectionTo(bench.place);
  return {
    driver: connection.device({ device: 2001, ...params }),
    good: [
      { ref: gauge('analog-input,1'), value: 21.4 },
      { ref: gauge('analog-output,1', 0.01), value: 0.55 },
      { ref: gauge('analog-value,3'), value: -0.125 },
      { ref: gauge('binary-input,1'), value: 1 },
      { ref: gauge('binary-output,1'), value: 0 },
      { ref: gauge('binary-value,7'), value: 1 },
    ],
    refused: gauge('analog-input,99'),
    silence: async () => void bench.fault({ fault: { kind: 'silence' } }),
    speak: async () => bench.clear(),
    unplug: () => bench.unplug(),
    plug: () => bench.plug(),
    patienceMs: 10_000,
    tearDown: async () => {
      await connection.close();
      await bench.stop();
    },
  };
}

describeConformance('BACnet/IP', () => setUp({}));
describeConformance('BACnet/IP with unconfirmed notifications', () => setUp({}, { cov: 'unconfirmed' }));
