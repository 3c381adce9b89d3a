import type { PointKind, PointSource, Unit, WriteLimits } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import { type BusPorts, connectionParams, deviceParams, type DeviceTokens } from './connections.ts';
import type { EquipmentParams } from './tables.ts';

/** A point's id, and its pace: a park may poll faster than its templates say. */
export interface SeededPoint {
  readonly id: string;
  readonly pollMs: number;
  readonly heartbeatMs: number;
  /** How far it may be written; undefined: as the template says. */
  readonly write?: WriteLimits | null;
  /** Set for a point that the template does not have: how it is read, and what it is. */
  readonly source?: PointSource | null;
  readonly unit?: Unit;
  readonly kind?: PointKind;
  readonly resolution?: number;
}

export interface ConfiguredGateway {
  readonly id: string;
  readonly name: string;
  readonly timezone: string;
  readonly devices: readonly {
    readonly id: string;
    readonly key: string;
    readonly name: string;
    readonly template: string;
    readonly protocol: string;
    readonly bus: string;
    readonly params: EquipmentParams;
    /** By template key: what the database knows of the point. */
    readonly points: ReadonlyMap<string, SeededPoint>;
  }[];
}

/** What the surroundings of a gateway are, beside what the database knows. */
export interface Surroundings {
  readonly ports: BusPorts;
  readonly natsUrl: string;
  readonly templates: ReadonlyMap<string, Template>;
  /** Of the devices that log in at the gateway. */
  readonly tokens?: DeviceTokens;
}

/**
 * Everything a gateway needs to work for a month without its cloud: the content of gateway.yaml. Pure.
 * @throws Error when a bus has no place on the network, or a device no token.
 */
export function gatewayConfig(gateway: ConfiguredGateway, around: Surroundings): Record<string, unknown> {
  const buses = Map.groupBy(gateway.devices, ({ bus }) => bus);
  const missing = [...buses.keys()].filter((bus) => !around.ports[bus]);
  if (missing.length > 0)
    throw new Error(
      `nobody has said where these buses are: ${missing.join(', ')}; write it down under Equipment, Field buses, or in the file of --ports`,
    );
  return {
    version: 1,
    gatewayId: gateway.id,
    name: gateway.name,
    timezone: gateway.timezone,
    nats: { url: around.natsUrl },
    report: { every: false },
    outbox: { keepHours: 24, maxMegabytes: 512 },
    connections: [...buses].map(([bus, devices]) => connection(bus, devices, around)),
  };
}

function connection(
  bus: string,
  devices: ConfiguredGateway['devices'],
  { ports, templates, tokens = {} }: Surroundings,
) {
  const protocol = devices[0]?.protocol ?? '';
  return {
    id: bus,
    driver: protocol,
    params: connectionParams(bus, protocol, ports[bus], devices[0]?.params ?? {}),
    devices: devices.map(({ id, key, name, params, points, template }) => ({
      equipmentId: id,
      name,
      // What is true of the model (word order, what one request may span), then where this one hangs.
      params: { ...templates.get(template)?.params, ...deviceParams(key, protocol, params, tokens) },
      points: [
        ...(templates.get(template)?.points ?? []).flatMap((point) => {
          const seeded = points.get(point.key);
          // A point that the template gained after seeding has no id yet: the next seeding gives it one.
          return seeded === undefined || seeded.source ? [] : [configuredPoint(seeded, point)];
        }),
        ...[...points].flatMap(([key, point]) => ownPoint(key, point)),
      ],
    })),
  };
}

/** A point that somebody added to the device beside those of its template. */
function ownPoint(key: string, { source, unit, kind, resolution, write, ...pace }: SeededPoint): object[] {
  if (!source) return [];
  const { id, pollMs, heartbeatMs } = pace;
  return [
    {
      ...{ id, key, kind, unit, resolution, pollMs, heartbeatMs, ...source },
      ...(write && { write }),
    },
  ];
}

const configuredPoint = (
  { id, pollMs, heartbeatMs, write: ownLimits }: SeededPoint,
  {
    key,
    address,
    scale,
    offset,
    kind,
    unit,
    resolution,
    deadband,
    write,
    history,
    limits,
  }: Template['points'][number],
) => {
  // Whoever runs the park may narrow what the template allows, or forbid it.
  const limitsOfWriting = ownLimits === undefined ? write : ownLimits;
  return {
    ...{ id, key, address, scale, kind, unit, resolution, deadband, heartbeatMs, pollMs },
    ...(offset !== undefined && { offset }),
    ...(limitsOfWriting && { write: limitsOfWriting }),
    ...(history !== undefined && { history }),
    ...(limits && { limits }),
  };
};

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
