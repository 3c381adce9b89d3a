import './tables.ts';
import { sql } from 'kysely';
import { parseDocument } from 'yaml';
import {
  buses,
  type BusPorts,
  connectionParams,
  type DeviceTokens,
  equipment,
  keepBusSecrets,
  keepTokens,
  secretParams,
} from '../fleet/index.ts';
import { audit } from '../identity/index.ts';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import type { Secrets } from '../platform/secrets.ts';
import { makeConfig, plainSecrets } from './config-make.ts';
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
 * with. The cloud can say then what would change, and make the next configuration. A second time changes nothing. Secrets are
 * kept sealed. @throws Error when a bus has no place, or a secret is where it cannot be sealed; AppError 'unprocessable' when no configuration can be made.
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
    ...parted(connectionParams(key, device?.protocol ?? '', ports[key], device?.params ?? {})),
  }));
  const busSecrets = Object.fromEntries(described.map(({ key, secret }) => [key, secret]));
  const plain = described.map(({ key, protocol, params }) => ({ key, protocol, params }));
  await buses.describe(trx, { accountId, gatewayId, newId }, plain);
  await keepBusSecrets(trx, secrets, { accountId, gatewayId, at }, busSecrets);
  await keepTokens(trx, secrets, { accountId, gatewayId, at }, tokens);
  const yaml = shape(await makeConfig(trx, accountId, gateway, natsUrl));
  const [bare] = plainSecrets(parseDocument(yaml));
  if (bare !== undefined)
    throw new Error(
      `${bare} is a secret: name it in the ports file, as a parameter of its bus, to note it sealed`,
    );
  if (await configs.note(trx, { id: newId(), accountId, gatewayId, yaml, createdAt: at })) {
    const deed = { accountId, at, personId: null, action: 'gateway.config_noted', subjectId: gatewayId };
    await audit(trx, deed);
  }
  await trx
    .updateTable('gateway')
    .set({ claimedAt: sql`coalesce(claimed_at, ${at})`, configuredAt: sql`coalesce(configured_at, ${at})` })
    .where('accountId', '=', accountId)
    .where('id', '=', gatewayId)
    .where('publicKey', 'is not', null)
    .where((eb) => eb.or([eb('claimedAt', 'is', null), eb('configuredAt', 'is', null)]))
    .execute();
}

/** Parameters of a connection, and those of them that are secrets, by themselves. Pure. */
function parted(all: Record<string, unknown>) {
  const params: Record<string, unknown> = {};
  const secret: Record<string, string> = {};
  for (const [name, value] of Object.entries(all))
    if (typeof value === 'string' && secretParams.test(name)) secret[name] = value;
    else params[name] = value;
  return { params, secret };
}
