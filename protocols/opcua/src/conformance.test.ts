import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConformanceBench, describeConformance } from '@parkline/kit/conformance';
import { afterAll } from 'vitest';
import { startOpcuaBench } from '../../../tests/support/opcua.ts';
import { connectionTo, gauge } from './testing.ts';

/** Certificates are made once: that is most of what a bench takes to stand. */
const folder = mkdtempSync(join(tmpdir(), 'parkline-opcua-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const values: Readonly<Record<string, number>> = {
  speed: 1.25,
  power: 4.2,
  floor: -2,
  doors: 1,
  trips: 123456,
};

async function setUp(): Promise<ConformanceBench> {
  const bench = await startOpcuaBench({
    folder,
    devices: ['Lift1', 'Lift2'],
    variables: [
      { name: 'Speed', as: 'Int16', quantity: 'speed', weight: 0.001, digits: 0 },
      { name: 'Power', as: 'Float', quantity: 'power', weight: 1, digits: 1 },
      { name: 'Floor', as: 'Int16', quantity: 'floor', weight: 1, digits: 0 },
      { name: 'Doors', as: 'Boolean', quantity: 'doors', weight: 1, digits: 0 },
      { name: 'Trips', as: 'UInt32', quantity: 'trips', weight: 1, digits: 0 },
      { name: 'Refused', as: 'Double', quantity: 'refused', weight: 1, digits: 3 },
    ],
    value: (quantity) => values[quantity] ?? 0,
  });
  const refuse = (): void =>
    void bench.fault({ bus: 'line', device: 'Lift1', quantity: 'refused', fault: { kind: 'refuse' } });
  refuse();
  const connection = connectionTo(bench);
  return {
    driver: connection.device({ root: 'Lift1' }),
    good: [
      { ref: gauge('Speed', 0.001), value: 1.25 },
      { ref: gauge('Power'), value: 4.2 },
      { ref: gauge('Floor'), value: -2 },
      { ref: gauge('Doors'), value: 1 },
      { ref: gauge('nsu=urn:parkline:sim;s=Lift1.Trips'), value: 123456 },
    ],
    refused: gauge('Refused'),
    silence: async () => void bench.fault({ bus: 'line', device: 'Lift1', fault: { kind: 'silence' } }),
    speak: async () => {
      bench.clear();
      refuse();
    },
    unplug: () => bench.unplug(),
    plug: () => bench.plug(),
    patienceMs: 15_000,
    tearDown: async () => {
      await connection.close();
      await bench.stop();
    },
  };
}

describeConformance('OPC UA', setUp);
