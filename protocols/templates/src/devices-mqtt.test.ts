import { expect, test } from 'vitest';
import { loadTemplate } from './load.ts';
import { deviceFile, templatesOf } from './testing.ts';

/** In the notation of a maker's telegram description: nested names with dots. */
interface DeviceFile {
  topic: string;
  /** Where commands are told to it. */
  command?: string;
  everySeconds: number;
  fields: {
    field: string;
    quantity: string;
    as: 'boolean' | 'integer' | 'decimal';
    digits?: number;
    writable?: boolean;
  }[];
}

test.each(templatesOf('mqtt'))('%s says the same as the simulator’s table of that model', (id) => {
  const { points, params } = loadTemplate(id);
  const { topic, command, everySeconds, fields } = deviceFile<DeviceFile>(id);
  for (const { key, kind, address, scale, decimals, write } of points) {
    const row = fields.find(({ quantity }) => quantity === key);
    if (!row) throw new Error(`${key} is not in the device table`);
    const path = row.field.replaceAll('.', '/');
    const order = row.writable ? ` -> ${command}:/${path}` : '';
    expect([key, address]).toEqual([key, `${topic}:/${path}${order}`]);
    expect([key, write !== undefined]).toEqual([key, row.writable ?? false]);
    expect([key, kind === 'state']).toEqual([key, row.as === 'boolean']);
    expect([key, scale, decimals]).toEqual([key, 1, row.digits ?? 0]);
  }
  expect(fields.map(({ quantity }) => quantity).sort()).toEqual(points.map(({ key }) => key).sort());
  // Two telegrams may be lost before a value counts as too old.
  expect(Number(params.maxAgeMs)).toBeGreaterThanOrEqual(3 * everySeconds * 1_000);
});
