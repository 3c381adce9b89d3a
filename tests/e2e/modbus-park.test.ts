import { join } from 'node:path';
import { driver } from '@parkline/modbus';
import { loadTemplate } from '@parkline/templates';
import { expect, onTestFinished, test } from 'vitest';
import { readPark } from '../../firmware-sim/src/park.ts';
import type { LogEntry } from '../../firmware-sim/src/request-log.ts';
import { createSimulator } from '../../firmware-sim/src/simulator.ts';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const demo = readPark(join(import.meta.dirname, '../../firmware-sim/parks/demo.yaml'));
const park = { ...demo, buses: demo.buses.filter(({ transport }) => transport) };

test('every point of every demo meter, read through its template, is what the device showed in that request', async () => {
  const served: LogEntry[] = [];
  const simulator = createSimulator({
    park,
    seed: 1,
    log: { write: (entry) => void ('unit' in entry && served.push(entry)), close: () => undefined },
  });
  const ports = await simulator.start();
  onTestFinished(() => simulator.stop());
  const signal = AbortSignal.timeout(30_000);
  let points = 0;
  for (const bus of park.buses) {
    const params = { transport: bus.transport, ...ports[bus.key] };
    const connection = driver.openConnection(params, { now: Date.now, log, dataDir: '/nowhere' });
    for (const meter of park.meters.filter(({ bus: key }) => key === bus.key)) {
      const template = loadTemplate(meter.template);
      const device = connection.device({ ...template.params, unit: meter.unit });
      served.length = 0;
      const refs = template.points.map(({ key, address, scale, kind }) => ({
        pointId: key,
        address,
        scale,
        kind,
      }));
      const samples = await device.read(refs, signal);
      const shown = Object.assign({}, ...served.map(({ values }) => values)) as Record<string, number>;
      expect([meter.key, served.filter(({ outcome }) => outcome !== 'ok')]).toEqual([meter.key, []]);
      expect([meter.key, Object.fromEntries(samples.map(({ pointId, value }) => [pointId, value]))]).toEqual([
        meter.key,
        shown,
      ]);
      for (const { beganAt, at } of samples) {
        expect(served.some(({ t }) => t >= beganAt && t <= at)).toBe(true);
      }
      points += samples.length;
    }
    await connection.close();
  }
  expect(points).toBeGreaterThan(150);
});
