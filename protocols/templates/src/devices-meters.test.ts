import { expect, test } from 'vitest';
import { loadTemplate } from './load.ts';
import { deviceFile, templatesOf } from './testing.ts';

/** In the notation of DL/T 645-2007 annex A. */
interface Dlt645File {
  items: { di: string; quantity: string; as: string; counter?: boolean }[];
}
/** In the notation of CJ/T 188: the fields of the metering data in their order, then the bits of the status. */
interface Cjt188File {
  type: string;
  metering: { quantity: string; as: string; unit?: string; counter?: boolean }[];
  status: { quantity: string; bit: number }[];
}

/** Weight of the last digit of a format column: XXXXXX.XX is 0.01. */
const lastDigit = (as: string): number => 10 ** -(as.split('.')[1]?.length ?? 0);

test.each(templatesOf('dlt645'))('%s says the same as the simulator’s table of that model', (id) => {
  const { points } = loadTemplate(id);
  const { items } = deviceFile<Dlt645File>(id);
  for (const { key, kind, address, scale, resolution } of points) {
    const row = items.find(({ quantity }) => quantity === key);
    if (!row) throw new Error(`${key} is not in the device table`);
    expect([key, address]).toEqual([key, row.di.replaceAll(' ', '')]);
    expect([key, row.counter ?? false]).toEqual([key, kind === 'register']);
    expect([key, scale * resolution]).toEqual([key, 1]);
    if (kind === 'register') expect([key, resolution]).toEqual([key, lastDigit(row.as)]);
  }
  expect(items.map(({ quantity }) => quantity).sort()).toEqual(points.map(({ key }) => key).sort());
});

/** What CJ/T 188 has at each place of the metering data, by kind of meter. */
const fields: Readonly<Record<string, readonly string[]>> = {
  '10': ['volume', 'volume_settled'],
  '20': [
    ...['energy_settled', 'energy', 'power', 'flow', 'volume'],
    ...['supply_temperature', 'return_temperature', 'work_hours'],
  ],
};
const statusFields: Readonly<Record<number, string>> = { 0: 'valve', 2: 'battery_low' };

test.each(templatesOf('cjt188'))('%s says the same as the simulator’s table of that model', (id) => {
  const { points, params } = loadTemplate(id);
  const { type, metering, status } = deviceFile<Cjt188File>(id);
  expect(params.type).toBe(type);
  const rows = [
    ...metering.map((row, i) => ({ ...row, field: fields[type]?.[i] })),
    ...status.map((row) => ({ ...row, field: statusFields[row.bit], as: 'X', counter: false })),
  ];
  for (const { key, kind, address, scale, resolution } of points) {
    const row = rows.find(({ quantity }) => quantity === key);
    if (!row) throw new Error(`${key} is not in the device table`);
    expect([key, address]).toEqual([key, `901F:${row.field}`]);
    expect([key, row.counter ?? false]).toEqual([key, kind === 'register']);
    expect([key, scale * resolution]).toEqual([key, 1]);
    if (kind === 'register') expect([key, resolution]).toEqual([key, lastDigit(row.as)]);
  }
  expect(rows.map(({ quantity }) => quantity).sort()).toEqual(points.map(({ key }) => key).sort());
});
