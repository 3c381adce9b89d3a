import { type ConformanceBench, describeConformance } from '@parkline/kit/conformance';
import { test } from 'vitest';
import { startBench } from '../../../tests/support/simulator.ts';
import { startPtyPair } from '../../../tests/support/pty-pair.ts';
import { startSerialBench } from '../../../tests/support/serial-bench.ts';
import { connectionTo, gauge, register } from './testing.ts';

const good: ConformanceBench['good'] = [
  { ref: gauge('hr:16:f32'), value: 230.1 },
  { ref: gauge('hr:4:u32:CDAB', 0.1), value: 30541989.6 },
  { ref: register('hr:6:i32'), value: -123456789 },
  { ref: gauge('ir:10:u16'), value: 31 },
  { ref: gauge('hr:37:bits:0-2'), value: 5 },
  { ref: gauge('co:5'), value: 1 },
  { ref: gauge('di:20'), value: 1 },
];

async function setUp(transport: 'tcp' | 'rtu-over-tcp'): Promise<ConformanceBench> {
  const bench = await startBench({ transport, buses: { line: [3] } });
  const connection = connectionTo({ transport, ...bench.ports.line });
  return {
    driver: connection.device({ unit: 3 }),
    good,
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

async function setUpSerial(): Promise<ConformanceBench> {
  const bench = await startBench({ transport: 'rtu-over-tcp', buses: { line: [3] } });
  const port = await startSerialBench(bench.ports['line']!);
  if ('why' in port) throw new Error(port.why);
  const connection = connectionTo({ transport: 'rtu', path: port.path, baudRate: 115_200, parity: 'none' });
  return {
    driver: connection.device({ unit: 3 }),
    good,
    refused: gauge('hr:38:u16'),
    silence: async () => void bench.fault({ bus: 'line', fault: { kind: 'silence' } }),
    speak: async () => bench.clear(),
    unplug: () => port.unplug(),
    plug: () => port.plug(),
    patienceMs: 4_000,
    tearDown: async () => {
      await connection.close();
      await port.close();
      await bench.stop();
    },
  };
}

/** Why there can be no serial port here, if so. */
async function noSerialPort(): Promise<string | undefined> {
  const pair = await startPtyPair();
  if ('why' in pair) return pair.why;
  await pair.close();
  return undefined;
}

describeConformance('Modbus TCP', () => setUp('tcp'));
describeConformance('Modbus RTU over TCP', () => setUp('rtu-over-tcp'));
const why = await noSerialPort();
if (why === undefined) describeConformance('Modbus RTU on a serial line', setUpSerial);
else test.skip(`Modbus RTU on a serial line (NOT RUN: ${why})`, () => undefined);
