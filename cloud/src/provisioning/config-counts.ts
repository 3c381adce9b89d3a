import { isDeepStrictEqual } from 'node:util';
import type { ConfigCount } from '@parkline/contract';
import { parseDocument } from 'yaml';
import { contentOf } from './config-text.ts';

type Kind = ConfigCount['kind'];
const kinds: readonly Kind[] = ['bus', 'device', 'point', 'setting'];
/** What there is of each kind, by what it is known by. */
type Parts = Readonly<Record<Kind, Map<string, unknown>>>;
type Fields = Readonly<Record<string, unknown>>;

/**
 * How much of each kind differs between two texts of gateway.yaml; kinds in which nothing does are left out. A device that
 * moved to another bus, and a point to another device, is changed. Without a text before, or with one that cannot be read,
 * everything is added. Pure.
 */
export function countChanges(before: string, after: string): ConfigCount[] {
  const [was, is] = [partsOf(before), partsOf(after)];
  return kinds
    .map((kind) => ({ kind, ...compared(was[kind], is[kind]) }))
    .filter(({ added, changed, removed }) => added + changed + removed > 0);
}

function compared(was: ReadonlyMap<string, unknown>, is: ReadonlyMap<string, unknown>) {
  const both = [...is.keys()].filter((key) => was.has(key));
  return {
    added: is.size - both.length,
    changed: both.filter((key) => !isDeepStrictEqual(was.get(key), is.get(key))).length,
    removed: was.size - both.length,
  };
}

function partsOf(yaml: string): Parts {
  const parts: Parts = { bus: new Map(), device: new Map(), point: new Map(), setting: new Map() };
  const { connections, ...settings } = fieldsOf(saidBy(yaml));
  collect(parts.setting, settings, '');
  for (const connection of listOf(connections)) {
    const { devices, ...bus } = connection;
    parts.bus.set(keyOf(bus['id']), bus);
    for (const one of listOf(devices)) {
      const { points, ...device } = one;
      const id = keyOf(device['equipmentId']);
      parts.device.set(id, { ...device, bus: bus['id'] });
      for (const point of listOf(points)) parts.point.set(keyOf(point['id']), { ...point, device: id });
    }
  }
  return parts;
}

/** Nothing where it cannot be read: what a gateway runs with was not always checked here. */
function saidBy(yaml: string): unknown {
  try {
    return contentOf(parseDocument(yaml));
  } catch {
    return undefined;
  }
}

/** Settings by their path, "nats.url". */
function collect(into: Map<string, unknown>, fields: Fields, path: string): void {
  for (const [name, value] of Object.entries(fields))
    if (isFields(value)) collect(into, value, `${path}${name}.`);
    else into.set(`${path}${name}`, value);
}

/** An id that is a map has no text of its own, or one that cannot be called. */
const keyOf = (id: unknown): string => (typeof id === 'object' ? JSON.stringify(id) : String(id));
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);
