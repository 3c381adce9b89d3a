import { type ConformanceBench, describeConformance } from '@parkline/kit/conformance';
import { startBench } from '../../../tests/support/simulator.ts';
import { connectionTo, gauge, register } from './testing.ts';

async function setUp(transport: 'tcp' | 'rtu-over-tcp'): Promise<ConformanceBench> {
  const bench = await startBench({ transport, buses: { line: [3] } });
  const connection = connectionTo({ transport, ...bench.ports.line });
  return {
    driver: connection.device({ unit: 3 }),
    good: [
      { ref: gauge('hr:16:f32'), value: 230.1 },
      { ref: gauge('hr:4:u32:CDAB', 0.1), value: 30541989.6 },
      { ref: register('hr:6:i32'), value: -123456789 },
      { ref: gauge('ir:10:u16'), value: 31 },
      { ref: gauge('co:5'), value: 1 },
      { ref: gauge('di:20'), value: 1 },
    ],
    refused: gauge('hr:38:u16'),
    silence: async () => void bench.fault({ bus: 'line', fault: { kind: 'silence' } }),
    speak: async () => bench.clear(),
    unplug: () => bench.unplug('line'),
    plug: () => bench.plug('line'),
    patienceMs: 2_000,
    tearDown: async () => {
      await connection.close();
      await bench.stop();
    },
  };
}

describeConformance('Modbus TCP', () => setUp('tcp'));
describeConformance('Modbus RTU over TCP', () => setUp('rtu-over-tcp'));
