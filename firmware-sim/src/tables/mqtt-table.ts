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
  /** A command may say what it shows instead, and null ends that. */
  readonly writable: boolean;
}

/** How one model of device tells its quantities by MQTT. */
export interface MqttTable {
  readonly device: string;
  /** Below the device's own topic. */
  readonly topic: string;
  /** Below the device's own topic, where it takes commands: an object of the same shape as its telegram. */
  readonly command?: string;
  /** It tells a change at once, and everything this often at least. */
  readonly everyMs: number;
  readonly fields: readonly MqttField[];
}

interface RawTable {
  device: string;
  topic: string;
  command?: string;
  everySeconds: number;
  fields: { field: string; quantity: string; as: MqttField['as']; digits?: number; writable?: boolean }[];
}

/** @param id `<kind>/<vendor>-<model>`. @throws Error naming the file and its faults. */
export function readMqttTable(id: string, folder = deviceFolder): MqttTable {
  return parseMqttTable(readFileSync(join(folder, `${id}.yaml`), 'utf8'), id);
}

export function parseMqttTable(text: string, id: string): MqttTable {
  const { device, topic, command, everySeconds, fields } = parse(text) as RawTable;
  const faults: string[] = [];
  if (!/^[a-z0-9-]+$/.test(topic)) faults.push(`topic is ${topic}`);
  if (command !== undefined && !/^[a-z0-9-]+$/.test(command)) faults.push(`command is ${command}`);
  if (!(everySeconds > 0)) faults.push(`everySeconds is ${everySeconds}`);
  for (const { field, quantity, as, digits = 0, writable } of fields) {
    if (writable && command === undefined) faults.push(`${quantity}: writable without a command topic`);
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
    ...(command !== undefined && { command }),
    everyMs: everySeconds * 1_000,
    fields: fields.map(({ field, quantity, as, digits = 0, writable = false }) => ({
      ...{ quantity, as, digits, writable },
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

/**
 * What a command says of the writable fields: a number to show, or null to show the quantity itself again.
 * @returns undefined when it is no command: a device obeys whole ones only.
 */
export function commandOf({ fields }: MqttTable, payload: string): Map<string, number | null> | undefined {
  let given: unknown;
  try {
    given = JSON.parse(payload);
  } catch {
    return undefined;
  }
  const orders = new Map<string, number | null>();
  for (const field of fields) {
    let here = given;
    for (const step of field.field)
      here = typeof here === 'object' && here !== null ? (here as Record<string, unknown>)[step] : undefined;
    if (here === undefined) continue;
    const order = orderFor(field, here);
    if (order === undefined) return undefined;
    orders.set(field.quantity, order);
  }
  return orders.size > 0 ? orders : undefined;
}

/** A field takes what it shows: true and false, or numbers. */
function orderFor({ as, writable }: MqttField, value: unknown): number | null | undefined {
  if (!writable) return undefined;
  if (value === null) return null;
  if (as === 'boolean') return typeof value === 'boolean' ? Number(value) : undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
