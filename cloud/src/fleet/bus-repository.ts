import './tables.ts';
import type { Bus, KeptSecret } from '@parkline/contract';
import { sql } from 'kysely';
import type { NewId } from '../platform/ids.ts';
import type { Db } from '../platform/db.ts';
import { sealedPlace, type Secrets } from '../platform/secrets.ts';
import type { BusPorts, DeviceTokens } from './connections.ts';

export const buses = {
  /** By key; one of them, those of a gateway, or all. */
  list: (
    db: Db,
    accountId: string,
    { id, gateway }: { readonly id?: string; readonly gateway?: string | undefined },
  ): Promise<Bus[]> =>
    db
      .selectFrom('bus as b')
      .select(['b.id', 'b.gatewayId', 'b.key', 'b.protocol', 'b.params', 'b.version'])
      .select(
        sql<KeptSecret[]>`coalesce((select json_agg(json_build_object('name', s.name,
          'setAt', to_char(s.set_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by s.name)
          from bus_secret s where s.bus_id = b.id), '[]')`.as('secrets'),
      )
      .where('b.accountId', '=', accountId)
      .$if(id !== undefined, (q) => q.where('b.id', '=', id!))
      .$if(gateway !== undefined, (q) => q.where('b.gatewayId', '=', gateway!))
      .orderBy('b.gatewayId')
      .orderBy('b.key')
      .execute(),

  /**
   * Makes a gateway have these; others stay. One that answers elsewhere loses its secrets: they were given for the place before.
   * A second time changes nothing.
   */
  async describe(
    db: Db,
    { accountId, gatewayId, newId }: { accountId: string; gatewayId: string; newId: NewId },
    wanted: readonly Pick<Bus, 'key' | 'protocol' | 'params'>[],
  ): Promise<void> {
    if (wanted.length === 0) return;
    await sql`delete from bus_secret s using bus b, jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as w (key text, protocol text, params jsonb)
      where b.account_id = ${accountId} and b.gateway_id = ${gatewayId} and b.key = w.key
        and (b.protocol, b.params) is distinct from (w.protocol, w.params) and s.account_id = b.account_id and s.bus_id = b.id`.execute(
      db,
    );
    await db
      .insertInto('bus')
      .values(wanted.map((bus) => ({ id: newId(), accountId, gatewayId, ...bus })))
      .onConflict((c) =>
        c
          .columns(['accountId', 'gatewayId', 'key'])
          .doUpdateSet((eb) => ({ protocol: eb.ref('excluded.protocol'), params: eb.ref('excluded.params') }))
          .where(
            sql<boolean>`(bus.protocol, bus.params) is distinct from (excluded.protocol, excluded.params)`,
          ),
      )
      .execute();
  },

  /** @returns whether it is there. */
  async lock(db: Db, accountId: string, id: string): Promise<boolean> {
    const row = await db
      .selectFrom('bus')
      .select('id')
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    return row !== undefined;
  },

  async isUsed(
    db: Db,
    accountId: string,
    { gatewayId, key }: Pick<Bus, 'gatewayId' | 'key'>,
  ): Promise<boolean> {
    const row = await db
      .selectFrom('equipment')
      .select('id')
      .where('accountId', '=', accountId)
      .where('gatewayId', '=', gatewayId)
      .where('bus', '=', key)
      .where('retiredAt', 'is', null)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  },
};

/**
 * Where the buses of a gateway are and what its devices log in with, secrets opened: for nobody but the gateway itself, and
 * only while its configuration is written. @throws AppError 'unavailable' when a secret does not open.
 */
export async function gatewayConnections(
  db: Db,
  secrets: Secrets,
  accountId: string,
  gatewayId: string,
): Promise<{ readonly ports: BusPorts; readonly tokens: DeviceTokens }> {
  const described = await buses.list(db, accountId, { gateway: gatewayId });
  const { rows: kept } = await sql<{ busId: string; name: string; sealed: string }>`
    select s.bus_id, s.name, s.sealed_value as sealed from bus_secret s join bus b on b.id = s.bus_id
    where b.account_id = ${accountId} and b.gateway_id = ${gatewayId}`.execute(db);
  const openOf = (busId: string) =>
    Object.fromEntries(
      kept
        .filter((one) => one.busId === busId)
        .map(({ name, sealed }) => [
          name,
          secrets.open(sealed, sealedPlace('bus_secret', 'sealed_value', accountId, busId, name)),
        ]),
    );
  const { rows: logins } = await sql<{ id: string; key: string; sealed: string }>`
    select e.id, e.key, s.sealed_value as sealed from equipment_secret s join equipment e on e.id = s.equipment_id
    where e.account_id = ${accountId} and e.gateway_id = ${gatewayId} and s.name = 'token'`.execute(db);
  return {
    ports: Object.fromEntries(
      described.map(({ id, key, params }) => [key, { params: { ...params, ...openOf(id) } }]),
    ),
    tokens: Object.fromEntries(
      logins.map(({ id, key, sealed }) => [
        key,
        secrets.open(sealed, sealedPlace('equipment_secret', 'sealed_value', accountId, id, 'token')),
      ]),
    ),
  };
}

/** Keeps what devices of a gateway log in with, sealed. A second time changes nothing. */
export async function keepTokens(
  db: Db,
  secrets: Secrets,
  { accountId, gatewayId, at }: { accountId: string; gatewayId: string; at: Date },
  given: DeviceTokens,
): Promise<void> {
  const { rows } = await sql<{ id: string; key: string; sealed: string | null }>`
    select e.id, e.key, s.sealed_value as sealed from equipment e
    left join equipment_secret s on s.equipment_id = e.id and s.name = 'token'
    where e.account_id = ${accountId} and e.gateway_id = ${gatewayId} and e.retired_at is null`.execute(db);
  for (const { id, key, sealed } of rows) {
    const token = given[key];
    const place = sealedPlace('equipment_secret', 'sealed_value', accountId, id, 'token');
    if (token === undefined || (sealed !== null && secrets.open(sealed, place) === token)) continue;
    const kept = { sealedValue: secrets.seal(token, place), setAt: at };
    await db
      .insertInto('equipmentSecret')
      .values({ accountId, equipmentId: id, name: 'token', ...kept })
      .onConflict((c) => c.columns(['accountId', 'equipmentId', 'name']).doUpdateSet(kept))
      .execute();
  }
}

/** Secrets of buses, by bus key and name of the parameter. */
export type BusSecrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Keeps what the buses of a gateway are opened with, sealed. A second time changes nothing. */
export async function keepBusSecrets(
  db: Db,
  secrets: Secrets,
  { accountId, gatewayId, at }: { accountId: string; gatewayId: string; at: Date },
  given: BusSecrets,
): Promise<void> {
  const { rows } = await sql<{ busId: string; key: string; name: string | null; sealed: string | null }>`
    select b.id as bus_id, b.key, s.name, s.sealed_value as sealed from bus b
    left join bus_secret s on s.account_id = b.account_id and s.bus_id = b.id
    where b.account_id = ${accountId} and b.gateway_id = ${gatewayId}`.execute(db);
  for (const [key, named] of Object.entries(given))
    for (const [name, value] of Object.entries(named)) {
      const busId = rows.find((row) => row.key === key)?.busId;
      if (busId === undefined) continue;
      const place = sealedPlace('bus_secret', 'sealed_value', accountId, busId, name);
      const sealed = rows.find((row) => row.busId === busId && row.name === name)?.sealed;
      if (sealed && secrets.open(sealed, place) === value) continue;
      const kept = { sealedValue: secrets.seal(value, place), setAt: at };
      await db
        .insertInto('busSecret')
        .values({ accountId, busId, name, ...kept })
        .onConflict((c) => c.columns(['accountId', 'busId', 'name']).doUpdateSet(kept))
        .execute();
    }
}
