import './tables.ts';
import type { Db } from '../platform/db.ts';

/** What metering multiplies a register by at a moment; undefined: it hangs at no usage point then. Text keeps its digits. */
export async function multiplierAt(
  db: Db,
  accountId: string,
  pointId: string,
  at: Date,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('meterInstallation')
    .select('multiplier')
    .where('accountId', '=', accountId)
    .where('pointId', '=', pointId)
    .where((eb) => eb.or([eb('fromAt', 'is', null), eb('fromAt', '<=', at)]))
    .where((eb) => eb.or([eb('toAt', 'is', null), eb('toAt', '>', at)]))
    .executeTakeFirst();
  return row && String(row.multiplier);
}
