import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { deviceFolder } from '../device-table.ts';

const shapes = ['boolean', 'integer', 'decimal'] as const;

/** One field of a device's telegram. */
export interface MqttField {
  /** Names of the objects around it, outermost first, then its own. */
  readonly field: readonly string[];
  readonly quantity: string;
  readonly as: (typeof shapes)[number];
  /** Decimals that a `decimal` shows. */
  readonly digits: number;
}

/** How one model of device tells its quantities by MQTT. */
export interface MqttTable {
  readonly device: string;
  /** Below the device's own topic. */
  readonly topic: string;
  /** It tells a change at once, and everything this often at least. */
  readonly everyMs: number;
  readonly fields: readonly MqttField[];
}

interface RawTable {
  device: string;
  topic: string;
  everySeconds: number;
  fields: { field: string; quantity: string; as: MqttField['as']; digits?: number }[];
}

/** @param id `<kind>/<vendor>-<model>`. @throws Error naming the file and its faults. */
export function readMqttTable(id: string, folder = deviceFolder): MqttTable {
  return parseMqttTable(readFileSync(join(folder, `${id}.yaml`), 'utf8'), id);
}

export function parseMqttTable(text: string, id: string): MqttTable {
  const { device, topic, everySeconds, fields } = parse(text) as RawTable;
  const faults: string[] = [];
  if (!/^[a-z0-9-]+$/.test(topic)) faults.push(`topic is ${topic}`);
  if (!(everySeconds > 0)) faults.push(`everySeconds is ${everySeconds}`);
  for (const { field, quantity, as, digits = 0 } of fields) {
    if (!/^\w+(\.\w+)*$/.test(field)) faults.push(`${quantity}: field is ${field}`);
    if (!shapes.includes(as)) faults.push(`${quantity}: no shape ${String(as)}`);
    if (!Number.isInteger(digits) || digits < 0 || digits > 6)
      faults.push(`${quantity}: digits is ${digits}`);
  }
  for (const name of ['field', 'quantity'] as const) {
    const names = fields.map((row) => row[name]);
    for (const one of new Set(names.filter((each, index) => names.indexOf(each) !== index)))
      faults.push(`${name} ${one} is there twice`);
  }
  if (faults.length > 0) throw new Error(`device table ${id}: ${faults.join('; ')}`);
  return {
    device,
    topic,
    everyMs: everySeconds * 1_000,
    fields: fields.map(({ field, quantity, as, digits = 0 }) => ({
      ...{ quantity, as, digits },
      field: field.split('.'),
    })),
  };
}

/** What a field shows of a quantity's value; null for one that is no number. */
export function shownIn({ as, digits }: MqttField, value: number): number | null {
  if (Number.isNaN(value)) return null;
  if (as === 'boolean') return value === 0 ? 0 : 1;
  return Number(value.toFixed(as === 'integer' ? 0 : digits));
}

/** The telegram of the shown values, its time in `ts` (Unix ms). */
export function telegramOf(
  { fields }: MqttTable,
  shown: ReadonlyMap<string, number | null>,
  ts: number,
): string {
  const telegram: Record<string, unknown> = { ts };
  for (const { field, quantity, as } of fields) {
    const value = shown.get(quantity) ?? null;
    let place = telegram;
    for (const step of field.slice(0, -1)) place = (place[step] ??= {}) as Record<string, unknown>;
    place[field.at(-1)!] = as === 'boolean' && value !== null ? value === 1 : value;
  }
  return JSON.stringify(telegram);
}
