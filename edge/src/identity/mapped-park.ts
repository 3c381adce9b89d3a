import { createHash } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import type { MappedDevice, MappedPark } from '@parkline/contract';
import type { ConnectionConfig, DeviceConfig, GatewayConfig } from '../config/schema.ts';
import type { ConfigStore } from '../config/store.ts';

/** What is mapped here, as the cloud takes it: with the ids that the points were given here. Pure. */
export const mappedPark = ({ connections }: Pick<GatewayConfig, 'connections'>): MappedPark => ({
  buses: connections.map(({ id, driver, params }) => ({ key: id, protocol: driver, params: open(params) })),
  devices: connections.flatMap((connection) =>
    connection.devices.map((device) => mapped(connection, device)),
  ),
});

function mapped(
  connection: ConnectionConfig,
  { equipmentId, name, params, template, points }: DeviceConfig,
): MappedDevice {
  const keys = new Set<string>();
  const transport = open(connection.params)['transport'];
  return {
    ...{ id: equipmentId, name, bus: connection.id, protocol: connection.driver },
    // A Modbus device is found by its unit on a line of some kind; the cloud keeps both together.
    params: { ...open(params), ...(connection.driver === 'modbus' && { transport: transport ?? 'tcp' }) },
    ...(template !== undefined && { template }),
    points: points.map((point) => {
      const { id, address, kind, unit, resolution, scale, offset, deadband, pollMs, heartbeatMs } = point;
      return {
        ...{ id, key: unique(keys, (point.key ?? address).slice(0, 90)), address: address.slice(0, 500) },
        ...{ kind, unit, resolution, scale, deadband, pollMs, heartbeatMs },
        ...(offset !== undefined && { offset }),
      };
    }),
  };
}

function unique(taken: Set<string>, wanted: string): string {
  let key = wanted;
  for (let n = 2; taken.has(key); n += 1) key = `${wanted}-${n}`;
  taken.add(key);
  return key;
}

const SECRET = /pass|secret|token|key|credential|pin/i;

/** Parameters without anything secret, at any depth. */
function open(params: unknown): Record<string, unknown> {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return {};
  return Object.fromEntries(
    Object.entries(params)
      .filter(([name]) => !SECRET.test(name))
      .map(([name, value]) => [name, isObject(value) ? open(value) : value]),
  );
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the cloud may not know: a configuration that came from it holds only what it knows. */
export function mappedHere(store: Pick<ConfigStore, 'state'>, config: GatewayConfig): MappedPark | undefined {
  const { current, history } = store.state();
  return history.find(({ n }) => n === current)?.source === 'cloud' ? undefined : mappedPark(config);
}

/** As it travels, and its name. Pure. */
export function packPark(park: MappedPark): { readonly hash: string; readonly packed: string } {
  const text = JSON.stringify(park);
  return {
    hash: createHash('sha256').update(text).digest('hex'),
    packed: zstdCompressSync(text).toString('base64'),
  };
}
