import { expect, test } from 'vitest';
import { loadTemplate } from './load.ts';
import { deviceFile, templatesOf } from './testing.ts';

/** In the maker's own numbering. */
interface DeviceFile {
  numbering: 0 | 1;
  area: 'holding' | 'input';
  wordOrder: string;
  holes: 'zero' | 'refuse';
  longestRead: number;
  registers: { no: number; as: string; quantity: string; weight: number; counter?: boolean; step?: number }[];
}

const formats: Readonly<Record<string, string>> = {
  UINT16: 'u16',
  INT16: 'i16',
  UINT32: 'u32',
  INT32: 'i32',
  UINT64: 'u64',
  INT64: 'i64',
  FLOAT32: 'f32',
};

/** The template's address as the device table says it should be. */
function addressOf(device: DeviceFile, { no, as }: DeviceFile['registers'][number]): string {
  const order = device.wordOrder === 'low-first' && !as.endsWith('16') ? ':CDAB' : '';
  return `${device.area === 'holding' ? 'hr' : 'ir'}:${no - device.numbering}:${formats[as]}${order}`;
}

test.each(templatesOf('modbus'))('%s says the same as the simulator’s table of that model', (id) => {
  const template = loadTemplate(id);
  const device = deviceFile<DeviceFile>(id);
  for (const { key, kind, address, scale, resolution } of template.points) {
    const row = device.registers.find(({ quantity }) => quantity === key);
    if (!row) throw new Error(`${key} is not in the device table`);
    expect([key, address]).toEqual([key, addressOf(device, row)]);
    expect([key, row.counter ?? false]).toEqual([key, kind === 'register']);
    if (kind === 'register') expect([key, resolution]).toEqual([key, row.step ?? row.weight]);
    // Register: raw x scale counts of resolution. Gauge: raw x scale in the unit. Both must weigh what the maker says.
    expect(scale * resolution).toBeCloseTo(row.weight, 12);
  }
  expect(device.registers.map(({ quantity }) => quantity).sort()).toEqual(
    template.points.map(({ key }) => key).sort(),
  );
  expect(template.params.maxRegisters).toBeLessThanOrEqual(device.longestRead);
  if (device.holes === 'refuse') expect(template.params.gapRegisters).toBe(0);
});
