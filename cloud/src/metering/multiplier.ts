import './tables.ts';
import { sql } from 'kysely';
import { tellEquipmentChanged } from '../fleet/index.ts';
import type { Now } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';

/** How a register counts where it hangs. */
export interface Hung {
  /** What metering multiplies it by; text keeps its digits. */
  readonly multiplier: string;
  /** It hangs there because its device names the space: its multiplier is the one that was proven, or 1. */
  readonly follows: boolean;
}

/** Where a register hangs at a moment; undefined: at no usage point. */
export async function hungAt(
  db: Db,
  accountId: string,
  pointId: string,
  at: Date,
): Promise<Hung | undefined> {
  const row = await db
    .selectFrom('meterInstallation as i')
    .innerJoin('usagePoint as u', 'u.id', 'i.usagePointId')
    .select(['i.multiplier', 'u.equipmentId'])
    .where('i.accountId', '=', accountId)
    .where('i.pointId', '=', pointId)
    .where((eb) => eb.or([eb('i.fromAt', 'is', null), eb('i.fromAt', '<=', at)]))
    .where((eb) => eb.or([eb('i.toAt', 'is', null), eb('i.toAt', '>', at)]))
    .executeTakeFirst();
  return row && { multiplier: String(row.multiplier), follows: row.equipmentId !== null };
}

/** The multiplier that two people signed, or an engineer let pass; 6 decimals. */
export interface ProvenMultiplier {
  readonly accountId: string;
  readonly pointId: string;
  readonly multiplier: string;
  /** When the reading that proves it was taken. */
  readonly readAt: Date;
}

/**
 * Keeps what a register was proven to be multiplied by; usage points that follow its device take it, one that a plan made keeps its
 * own. The first proof holds for all that was counted, another one from its reading on.
 */
export async function keepMultiplier(
  trx: Db,
  { accountId, pointId, multiplier, readAt }: ProvenMultiplier,
  { now, newId }: { readonly now: Now; readonly newId: NewId },
): Promise<void> {
  const { rows } = await sql`
    insert into register_multiplier (account_id, point_id, from_at, multiplier)
    select ${accountId}::uuid, ${pointId}::uuid,
      case when l.from_at is null then '-infinity' else greatest(${readAt}::timestamptz, l.from_at) end, ${multiplier}::numeric
    from (select) one
    left join lateral (
      select r.from_at, r.multiplier from register_multiplier r
      where r.account_id = ${accountId} and r.point_id = ${pointId} order by r.from_at desc limit 1
    ) l on true
    where l.multiplier is distinct from ${multiplier}::numeric
    on conflict (account_id, point_id, from_at) do update set multiplier = excluded.multiplier
    returning 1`.execute(trx);
  if (rows.length > 0) await tellEquipmentChanged(trx, accountId, { at: now(), newId });
}

/** Each multiplier that was proven holds from when it was, the first one for all that the register counted. */
export async function takeMultipliers(trx: Db, accountId: string, newId: NewId) {
  while (await cutAtProof(trx, accountId, newId));
  const { rows } = await sql<{ usagePointId: string; equipmentId: string; multiplier: string }>`
    update meter_installation i set multiplier = m.multiplier
    from (
      select o.id, u.id as usage_point_id, u.equipment_id, (
        select r.multiplier from register_multiplier r
        where r.account_id = o.account_id and r.point_id = o.point_id and r.from_at <= coalesce(o.from_at, '-infinity')
        order by r.from_at desc limit 1) as multiplier
      from meter_installation o join usage_point u on u.account_id = o.account_id and u.id = o.usage_point_id
      where o.account_id = ${accountId} and u.equipment_id is not null
    ) m
    where i.account_id = ${accountId} and i.id = m.id and m.multiplier <> i.multiplier
    returning m.usage_point_id, m.equipment_id, i.multiplier::text`.execute(trx);
  return rows;
}

/** @returns whether an installation had to be cut in two because another multiplier was proven within it. */
async function cutAtProof(trx: Db, accountId: string, newId: NewId): Promise<boolean> {
  const { rows } = await sql<{
    id: string;
    usagePointId: string;
    pointId: string;
    toAt: Date | null;
    cut: Date;
  }>`
    select i.id, i.usage_point_id, i.point_id, i.to_at, r.from_at as cut
    from register_multiplier r
    join meter_installation i on i.account_id = r.account_id and i.point_id = r.point_id
    join usage_point u on u.account_id = i.account_id and u.id = i.usage_point_id
    where r.account_id = ${accountId} and u.equipment_id is not null
      and r.from_at > coalesce(i.from_at, '-infinity') and r.from_at < coalesce(i.to_at, 'infinity')
    order by r.from_at limit 1`.execute(trx);
  const [found] = rows;
  if (!found) return false;
  const { id, cut, ...rest } = found;
  await sql`update meter_installation set to_at = ${cut} where account_id = ${accountId} and id = ${id}`.execute(
    trx,
  );
  await trx
    .insertInto('meterInstallation')
    .values({ ...rest, id: newId(), accountId, fromAt: cut })
    .execute();
  return true;
}
