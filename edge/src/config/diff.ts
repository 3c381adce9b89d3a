import { isDeepStrictEqual } from 'node:util';
import { type GatewayConfig, pointsOf } from './schema.ts';

const kinds = ['setting', 'connection', 'device', 'point', 'alarm', 'schedule'] as const;

/** One difference between two configurations. */
export interface ConfigChange {
  readonly how: 'add' | 'remove' | 'change';
  readonly what: (typeof kinds)[number];
  /** Of a setting its name, of a rule its key, of the others their id. */
  readonly id: string;
  /** For a person: driver of the connection, name of the device, address of the point, text of the alarm. */
  readonly name: string;
  /** What is different; empty where the whole thing comes or goes. Values as JSON, secrets hidden. */
  readonly fields: readonly { readonly field: string; readonly from: string; readonly to: string }[];
}

interface Item {
  readonly what: ConfigChange['what'];
  readonly id: string;
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const SECRET = /pass|secret|token|key|credential/i;

/** What another configuration would change: settings first, then connections, devices, points, rules, each in the order of the files. Pure. */
export function diffConfigs(from: GatewayConfig, to: GatewayConfig): ConfigChange[] {
  const before = new Map(itemsOf(from).map((item) => [`${item.what} ${item.id}`, item]));
  const after = new Map(itemsOf(to).map((item) => [`${item.what} ${item.id}`, item]));
  const gone = [...before].filter(([key]) => !after.has(key)).map(([, item]) => whole('remove', item));
  const others = [...after].flatMap(([key, item]): ConfigChange[] => {
    const known = before.get(key);
    if (!known) return [whole('add', item)];
    const fields = differing(known.fields, item.fields);
    return fields.length > 0
      ? [{ how: 'change', what: item.what, id: item.id, name: item.name, fields }]
      : [];
  });
  return [...gone, ...others].toSorted((a, b) => kinds.indexOf(a.what) - kinds.indexOf(b.what));
}

const whole = (how: 'add' | 'remove', { what, id, name }: Item): ConfigChange => ({
  how,
  what,
  id,
  name,
  fields: [],
});

function itemsOf({ connections, rules, ...settings }: GatewayConfig): Item[] {
  return [
    ...Object.entries(settings).map(([id, value]): Item => ({
      what: 'setting',
      id,
      name: '',
      fields: flat(id, value),
    })),
    ...connections.flatMap(({ id: connection, driver, params, devices }): Item[] => [
      { what: 'connection', id: connection, name: driver, fields: { driver, ...flat('params', params) } },
      ...devices.flatMap(({ equipmentId, name, params: device, points }): Item[] => [
        { what: 'device', id: equipmentId, name, fields: { connection, name, ...flat('params', device) } },
        ...points.map(({ id, ...fields }): Item => ({
          ...{ what: 'point', id, name: fields.address },
          fields: { device: equipmentId, ...fields },
        })),
      ]),
    ]),
    ...rules.alarms.map(({ key, ...fields }): Item => ({
      what: 'alarm',
      id: key,
      name: fields.text,
      fields,
    })),
    ...rules.schedules.map(({ key, ...fields }): Item => ({
      ...{ what: 'schedule', id: key, name: fields.cron },
      fields,
    })),
  ];
}

/** Parameters by name, so that a changed port does not show the password beside it. */
const flat = (prefix: string, value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [`${prefix}.${key}`, inner as unknown]))
    : { [prefix]: value };

function differing(from: Item['fields'], to: Item['fields']): ConfigChange['fields'] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .filter((field) => !isDeepStrictEqual(from[field], to[field]))
    .map((field) => ({ field, from: shown(field, from[field]), to: shown(field, to[field]) }));
}

function shown(field: string, value: unknown): string {
  if (value === undefined) return '';
  return SECRET.test(field)
    ? '(hidden)'
    : JSON.stringify(value, (key, inner: unknown) => (SECRET.test(key) ? '(hidden)' : inner));
}

/**
 * Whether a running gateway can go over from one to the other device by device. Everything else (broker, room of the outbox,
 * time zone, rules, how long a schedule's value may stand) is read once at the start.
 */
export function isLiveChange(from: GatewayConfig, to: GatewayConfig): boolean {
  const { connections: _from, ...before } = from;
  const { connections: _to, ...after } = to;
  if (!isDeepStrictEqual(before, after)) return false;
  const scheduled = new Set(to.rules.schedules.map(({ point }) => point));
  const holds = (config: GatewayConfig): Map<string, number | undefined> =>
    new Map(pointsOf(config).flatMap(({ id, write }) => (scheduled.has(id) ? [[id, write?.holdS]] : [])));
  return isDeepStrictEqual(holds(from), holds(to));
}
