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

/**
 * Keeps what a register was proven to be multiplied by, 6 decimals; usage points that follow its device take it. One that a plan
 * made keeps its own.
 */
export async function keepMultiplier(
  trx: Db,
  { accountId, pointId, multiplier }: { accountId: string; pointId: string; multiplier: string },
  { now, newId }: { readonly now: Now; readonly newId: NewId },
): Promise<void> {
  const { rows } = await sql`
    insert into register_multiplier as r (account_id, point_id, multiplier)
    values (${accountId}, ${pointId}, ${multiplier}::numeric)
    on conflict (account_id, point_id) do update set multiplier = excluded.multiplier
      where r.multiplier <> excluded.multiplier
    returning 1`.execute(trx);
  if (rows.length > 0) await tellEquipmentChanged(trx, accountId, { at: now(), newId });
}
