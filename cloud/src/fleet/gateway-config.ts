import type { Template } from '@parkline/templates';
import type { BusParams } from './tables.ts';

/** Where each bus answers, by bus key; written by whoever runs the devices. */
export type BusPorts = Readonly<Record<string, { readonly host: string; readonly port: number }>>;

/** A point's id, and its pace: a park may poll faster than its templates say. */
export interface SeededPoint {
  readonly id: string;
  readonly pollMs: number;
  readonly heartbeatMs: number;
}

export interface ConfiguredGateway {
  readonly id: string;
  readonly name: string;
  readonly timezone: string;
  readonly devices: readonly {
    readonly id: string;
    readonly name: string;
    readonly template: string;
    readonly protocol: string;
    readonly bus: string;
    readonly params: BusParams;
    /** By template key: what the database knows of the point. */
    readonly points: ReadonlyMap<string, SeededPoint>;
  }[];
}

/** Silence after which a request on a bus has failed. */
const TIMEOUT_MS = 1_000;

/**
 * Everything a gateway needs to work for a month without its cloud: the content of gateway.yaml. Pure.
 * @throws Error when a bus has no place on the network.
 */
export function gatewayConfig(
  gateway: ConfiguredGateway,
  {
    ports,
    natsUrl,
    templates,
  }: { ports: BusPorts; natsUrl: string; templates: ReadonlyMap<string, Template> },
): Record<string, unknown> {
  const missing = [...new Set(gateway.devices.map(({ bus }) => bus))].filter((bus) => !ports[bus]);
  if (missing.length > 0)
    throw new Error(`the ports file does not say where these buses are: ${missing.join(', ')}`);
  const buses = Map.groupBy(gateway.devices, ({ bus }) => bus);
  return {
    version: 1,
    gatewayId: gateway.id,
    name: gateway.name,
    timezone: gateway.timezone,
    nats: { url: natsUrl },
    report: { every: false },
    outbox: { keepHours: 24, maxMegabytes: 512 },
    connections: [...buses].map(([bus, devices]) => connection(bus, devices, ports, templates)),
  };
}

function connection(
  bus: string,
  devices: ConfiguredGateway['devices'],
  ports: BusPorts,
  templates: ReadonlyMap<string, Template>,
) {
  return {
    id: bus,
    driver: devices[0]?.protocol,
    params: {
      transport: devices[0]?.params.transport,
      host: ports[bus]?.host,
      port: ports[bus]?.port,
      timeoutMs: TIMEOUT_MS,
      interFrameMs: 0,
    },
    devices: devices.map(({ id, name, params, points, template }) => ({
      equipmentId: id,
      name,
      // What is true of the model (word order, what one request may span), then where this one hangs.
      params: { ...templates.get(template)?.params, unit: params.unit },
      points: (templates.get(template)?.points ?? []).flatMap((point) => {
        const seeded = points.get(point.key);
        // A point that the template gained after seeding has no id yet: the next seeding gives it one.
        return seeded === undefined ? [] : [configuredPoint(seeded, point)];
      }),
    })),
  };
}

const configuredPoint = (
  { id, pollMs, heartbeatMs }: SeededPoint,
  { address, scale, kind, unit, resolution, deadband }: Template['points'][number],
) => ({ id, address, scale, kind, unit, resolution, deadband, heartbeatMs, pollMs });

/**
 * Applies `report.every=true`: the value is read as JSON where it is JSON, else as text. Changes `config`.
 * @throws Error on a path that does not exist, because a misspelt setting would silently do nothing.
 */
export function setPath(config: Record<string, unknown>, assignment: string): void {
  const at = assignment.indexOf('=');
  const path = assignment.slice(0, Math.max(at, 0)).split('.');
  const last = path.pop() ?? '';
  let holder: unknown = config;
  for (const step of path) holder = isRecord(holder) ? holder[step] : undefined;
  if (at < 1 || !isRecord(holder) || !Object.hasOwn(holder, last))
    throw new Error(`--set ${assignment}: there is no such setting`);
  holder[last] = asJson(assignment.slice(at + 1));
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // `--set nats.url=nats://hub:4222` needs no quotes.
  }
}
