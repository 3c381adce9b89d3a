import { hexOf, type Raw, readBcd } from '@parkline/kit/meters';
import { scaled } from '@parkline/kit';

/** How a field of the metering data (901F) lies in the telegram. */
interface Field {
  readonly name: string;
  readonly at: number;
  readonly bytes: number;
  readonly decimals: number;
  /** A byte behind the number says its unit. */
  readonly hasUnit: boolean;
}

/** How many of our unit one of the meter's is: kWh, kW, m³, m³/h. CJ/T 188, table of unit codes. */
interface UnitCode {
  readonly of: Quantity;
  readonly factor: number;
}
type Quantity = 'energy' | 'power' | 'volume' | 'flow';

const KWH_PER_MJ = 1 / 3.6;
const unitCodes: Readonly<Record<number, UnitCode>> = {
  0x01: { of: 'energy', factor: KWH_PER_MJ / 1e6 }, // J
  0x02: { of: 'energy', factor: 0.001 }, // Wh
  0x05: { of: 'energy', factor: 1 }, // kWh
  0x08: { of: 'energy', factor: 1_000 }, // MWh
  0x0a: { of: 'energy', factor: 100_000 }, // 100 MWh
  0x0b: { of: 'energy', factor: KWH_PER_MJ / 1e3 }, // kJ
  0x0e: { of: 'energy', factor: KWH_PER_MJ }, // MJ
  0x11: { of: 'energy', factor: KWH_PER_MJ * 1e3 }, // GJ
  0x13: { of: 'energy', factor: KWH_PER_MJ * 1e5 }, // 100 GJ
  0x14: { of: 'power', factor: 0.001 }, // W
  0x17: { of: 'power', factor: 1 }, // kW
  0x1a: { of: 'power', factor: 1_000 }, // MW
  0x29: { of: 'volume', factor: 0.001 }, // L
  0x2c: { of: 'volume', factor: 1 }, // m³
  0x32: { of: 'flow', factor: 0.001 }, // L/h
  0x35: { of: 'flow', factor: 1 }, // m³/h
};

/** Lays fields one behind the other. */
function lay(rows: readonly (readonly [name: string, bytes: number, decimals: number, hasUnit: boolean])[]): {
  readonly fields: readonly Field[];
  readonly length: number;
} {
  let at = 0;
  const fields = rows.map(([name, bytes, decimals, hasUnit]) => {
    const field = { name, at, bytes, decimals, hasUnit };
    at += bytes + (hasUnit ? 1 : 0);
    return field;
  });
  return { fields, length: at };
}

/** Behind the numbers: the meter's clock (7 bytes, not read) and the status ST (2 bytes). */
const CLOCK_BYTES = 7;
const STATUS_BYTES = 2;

/** CJ/T 188 annex, metering data of water (10 to 19) and gas (30 to 39) meters: 19 bytes behind the serial number. */
const volumes = lay([
  ['volume', 4, 2, true],
  ['volume_settled', 4, 2, true],
]);

/** The same of heat (20) and cold (21) meters: 43 bytes. */
const energies = lay([
  ['energy_settled', 4, 2, true],
  ['energy', 4, 2, true],
  ['power', 4, 2, true],
  ['flow', 4, 4, true],
  ['volume', 4, 2, true],
  ['supply_temperature', 3, 2, false],
  ['return_temperature', 3, 2, false],
  ['work_hours', 3, 0, false],
]);

const layoutOf = (type: string): typeof volumes | undefined =>
  /^[13][0-9]$/.test(type) ? volumes : /^2[01]$/.test(type) ? energies : undefined;

/** Fields of the status ST: which of its 16 bits, lowest first, and how many. */
const statusFields: Readonly<Record<string, { readonly bit: number; readonly bits: number }>> = {
  valve: { bit: 0, bits: 2 },
  battery_low: { bit: 2, bits: 1 },
};
const statusField = (name: string): { bit: number; bits: number } | undefined => {
  const bit = /^st(\d|1[0-5])$/.exec(name)?.[1];
  return bit === undefined ? statusFields[name] : { bit: Number(bit), bits: 1 };
};

/** What a kind of meter tells in its metering data; undefined for a kind whose layout these tables leave out. */
export function fieldNames(type: string): readonly string[] | undefined {
  const layout = layoutOf(type);
  return layout && [...layout.fields.map(({ name }) => name), ...Object.keys(statusFields)];
}

export const isField = (type: string, name: string): boolean =>
  (layoutOf(type)?.fields.some((field) => field.name === name) ?? false) || statusField(name) !== undefined;

/** The unit in which a field is told, whatever the meter's own: for a person. */
export const unitOf = (name: string): string =>
  ({ volume: 'm³', volume_settled: 'm³', flow: 'm³/h', power: 'kW', work_hours: 'h' })[name] ??
  (name.startsWith('energy') ? 'kWh' : name.endsWith('temperature') ? '°C' : '1');

const quantityOf = (name: string): Quantity => name.replace('_settled', '') as Quantity;

/** One field of the metering data in kWh, kW, m³, m³/h, °C or h; 0/1/3 for the valve. */
export function decodeField(payload: Uint8Array, type: string, name: string): Raw {
  const layout = layoutOf(type);
  if (!layout) return { ok: false, why: `metering data of meters of type ${type} is not known` };
  const length = layout.length + CLOCK_BYTES + STATUS_BYTES;
  // Makers add bytes at the end, never fewer: the fields up to the status must all be there.
  if (payload.length < length) return { ok: false, why: `${payload.length} bytes of data, not ${length}` };
  const status = statusField(name);
  if (status) {
    const word = payload[length - 2]! | (payload[length - 1]! << 8);
    return { ok: true, value: (word >> status.bit) & ((1 << status.bits) - 1) };
  }
  const field = layout.fields.find((each) => each.name === name);
  if (!field) return { ok: false, why: `a meter of type ${type} has no ${name}` };
  const number = readBcd(payload.subarray(field.at, field.at + field.bytes), field.decimals);
  return number.ok && field.hasUnit
    ? inOurUnit(number.value, payload[field.at + field.bytes]!, name)
    : number;
}

function inOurUnit(value: number, code: number, name: string): Raw {
  const unit = unitCodes[code];
  if (unit?.of !== quantityOf(name))
    return { ok: false, why: `unit code ${hexOf([code])}H is none of ${quantityOf(name)}` };
  return { ok: true, value: scaled(value, unit.factor) };
}
