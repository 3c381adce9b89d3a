import type { DriverModule } from '@parkline/kit';
import { loadTemplate } from '@parkline/templates';
import { expect, onTestFinished, test } from 'vitest';
import { protocolOf } from '../../firmware-sim/src/park.ts';
import { driver as cjt188 } from '../../protocols/cjt188/src/index.ts';
import { driver as dlt645 } from '../../protocols/dlt645/src/index.ts';
import { startMeterPark } from '../support/meters.ts';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const drivers: Readonly<Record<string, DriverModule>> = { dlt645, cjt188 };

test('every point of every DL/T 645 and CJ/T 188 meter, read through its template, is what the meter showed', async () => {
  const { park, ports, served, stop } = await startMeterPark();
  onTestFinished(stop);
  const signal = AbortSignal.timeout(30_000);
  let points = 0;
  for (const bus of park.buses.filter((each) => protocolOf(each) in drivers)) {
    const params = { transport: 'tcp', ...ports[bus.key] };
    const connection = drivers[protocolOf(bus)]!.openConnection(params, { now: Date.now, log, dataDir: '' });
    for (const meter of park.meters.filter(({ bus: key }) => key === bus.key)) {
      const template = loadTemplate(meter.template);
      const device = connection.device({ ...template.params, ...(meter.address as object) });
      const before = served.length;
      const refs = template.points.map(({ key, address, scale, kind }) => ({
        pointId: key,
        address,
        scale,
        kind,
      }));
      const samples = await device.read(refs, signal);
      const told = served.slice(before);
      expect([
        meter.key,
        told.filter(({ device, outcome }) => device !== meter.key || outcome !== 'ok'),
      ]).toEqual([meter.key, []]);
      const shown = Object.assign({}, ...told.map(({ values }) => values)) as Record<string, number>;
      expect([meter.key, Object.fromEntries(samples.map(({ pointId, value }) => [pointId, value]))]).toEqual([
        meter.key,
        shown,
      ]);
      points += samples.length;
    }
    await connection.close();
  }
  expect(points).toBe(3 * 17 + 4 + 9);
});
