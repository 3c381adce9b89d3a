import { expect, test } from 'vitest';
import { loadTemplate } from './load.ts';
import { deviceFile, templatesOf } from './testing.ts';

/** In the notation of a controller's object list: AI-3. */
interface DeviceFile {
  objects: { id: string; quantity: string; units?: string; increment?: number }[];
}

const types: Readonly<Record<string, string>> = {
  AI: 'analog-input',
  AO: 'analog-output',
  AV: 'analog-value',
  BI: 'binary-input',
  BO: 'binary-output',
  BV: 'binary-value',
};

/** Engineering units of ASHRAE 135 by unit of a point. */
const units: Readonly<Record<string, string>> = {
  '°C': 'degrees-celsius',
  '%': 'percent',
  Pa: 'pascals',
  kW: 'kilowatts',
  ppm: 'parts-per-million',
  'm³/h': 'cubic-meters-per-hour',
};

function addressOf(id: string): string {
  const [type = '', instance] = id.split('-');
  return `${types[type]},${instance}`;
}

test.each(templatesOf('bacnet'))('%s says the same as the simulator’s table of that model', (id) => {
  const template = loadTemplate(id);
  const { objects } = deviceFile<DeviceFile>(id);
  for (const { key, kind, unit, address, scale, deadband } of template.points) {
    const row = objects.find(({ quantity }) => quantity === key);
    if (!row) throw new Error(`${key} is not in the device table`);
    expect([key, address, scale]).toEqual([key, addressOf(row.id), 1]);
    expect([key, row.units]).toEqual([key, kind === 'state' ? undefined : units[unit]]);
    // A device that notifies more coarsely than we report would hide what we promise to show.
    expect(row.increment ?? 0).toBeLessThanOrEqual(deadband);
  }
  expect(objects.map(({ quantity }) => quantity).sort()).toEqual(
    template.points.map(({ key }) => key).sort(),
  );
});
