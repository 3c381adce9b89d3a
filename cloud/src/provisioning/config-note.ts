import './tables.ts';
import { sql } from 'kysely';
import {
  buses,
  type BusPorts,
  connectionParams,
  type DeviceTokens,
  equipment,
  keepTokens,
} from '../fleet/index.ts';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import type { Secrets } from '../platform/secrets.ts';
import { makeConfig } from './config-make.ts';
import { configs } from './config-repository.ts';

export interface NotedGateway {
  readonly accountId: string;
  readonly gateway: Parameters<typeof makeConfig>[2];
  /** Where its buses are, and what its devices log in with. */
  readonly ports: BusPorts;
  readonly tokens: DeviceTokens;
  readonly natsUrl: string;
  /** What else was changed in the text before it was written to the gateway. */
  shape(yaml: string): string;
}

/**
 * Takes note of what a gateway was set up with by hand: its buses, what its devices log in with, and the text that it runs
 * with. The cloud can say then what would change, and make the next configuration. A second time changes nothing.
 * @throws Error when a bus has no place; AppError 'unprocessable' when no configuration can be made.
 */
export async function noteConfig(
  trx: Db,
  { secrets, newId, at }: { readonly secrets: Secrets; readonly newId: NewId; readonly at: Date },
  { accountId, gateway, ports, tokens, natsUrl, shape }: NotedGateway,
): Promise<void> {
  const gatewayId = gateway.id;
  const { devices } = await equipment.ofGateway(trx, accountId, gatewayId);
  const described = [...Map.groupBy(devices, ({ bus }) => bus)].map(([key, [device]]) => ({
    ...{ key, protocol: device?.protocol ?? '' },
    params: connectionParams(key, device?.protocol ?? '', ports[key], device?.params ?? {}),
  }));
  await buses.describe(trx, { accountId, gatewayId, newId }, described);
  await keepTokens(trx, secrets, { accountId, gatewayId, at }, tokens);
  const yaml = shape(await makeConfig(trx, accountId, gateway, natsUrl));
  await configs.note(trx, { id: newId(), accountId, gatewayId, yaml, createdAt: at });
  await trx
    .updateTable('gateway')
    .set({ claimedAt: sql`coalesce(claimed_at, ${at})`, configuredAt: sql`coalesce(configured_at, ${at})` })
    .where('accountId', '=', accountId)
    .where('id', '=', gatewayId)
    .where('publicKey', 'is not', null)
    .where((eb) => eb.or([eb('claimedAt', 'is', null), eb('configuredAt', 'is', null)]))
    .execute();
}
