import { randomUUID } from 'node:crypto';
import type { GatewayEvent, GatewayHealth } from '@parkline/contract';
import { ConfigError, parseConfig } from './load.ts';
import type { GatewayConfig } from './schema.ts';
import type { ConfigVersion } from './state.ts';

/** What became of the text with this hash, for the cloud. */
export const configEvent = (
  hash: string,
  state: ConfigVersion['state'],
  { at, why = '' }: { at: number; why?: string },
): GatewayEvent => ({ type: 'config', id: randomUUID(), at, hash, state, why: why.slice(0, 1_000) });

/** What somebody wants, read; or why it is nothing for this gateway. */
export type CheckedWish = { ok: true; config: GatewayConfig } | { ok: false; why: string };

/** Reads a text that is to replace `current`. `natsUrl` wins over the text. Pure. */
export function checkWish(yaml: string, current: GatewayConfig, natsUrl: string | undefined): CheckedWish {
  try {
    const config = parseConfig(yaml, natsUrl);
    if (config.gatewayId === current.gatewayId) return { ok: true, config };
    return { ok: false, why: `it is for gateway ${config.gatewayId}, this is ${current.gatewayId}` };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ok: false, why: error.message };
  }
}

/**
 * Equipment ids of the devices that answer, or had to under the trial that ends with this, and that `next` has, too: they must
 * answer again.
 */
export function requiredOf(
  devices: GatewayHealth['devices'],
  next: GatewayConfig,
  hadTo: readonly string[] = [],
): string[] {
  const wanted = new Set(
    next.connections.flatMap((connection) => connection.devices.map(({ equipmentId }) => equipmentId)),
  );
  return devices.flatMap(({ state, equipmentId }) =>
    (state === 'online' || hadTo.includes(equipmentId)) && wanted.has(equipmentId) ? equipmentId : [],
  );
}
