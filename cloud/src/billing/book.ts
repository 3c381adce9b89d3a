import './tables.ts';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import type { IntervalRecord, LineRecord, RunRecord, StatementRecord } from './record.ts';

export interface BookDeps {
  readonly newId: NewId;
  readonly now: () => Date;
}

export interface Booked {
  readonly id: string;
  readonly state: 'draft' | 'locked';
  /** The same inputs had been computed before: nothing was written. */
  readonly known: boolean;
}

/**
 * Writes a run with all that belongs to it. Call within a transaction of the account. The same inputs are one run,
 * however often they are computed.
 */
export async function bookRun(
  db: Db,
  accountId: string,
  { run, inputsHash }: { readonly run: RunRecord; readonly inputsHash: string },
  { newId, now }: BookDeps,
): Promise<Booked> {
  const id = newId();
  const inserted = await db
    .insertInto('billingRun')
    .values({
      ...{ id, accountId, inputsHash },
      ...{ siteName: run.siteName, timezone: run.timezone, currency: run.currency },
      ...{ fromDate: run.period.from, toDate: run.period.to, intervalMs: run.intervalMs },
      ...{ createdAt: now(), lockedAt: null },
      supplyKwh: run.supply.kwh,
      supplyEnergy: run.supply.energy,
      supplyDemand: run.supply.demand,
      supplyPowerFactor: run.supply.powerFactor,
      supplyTotal: run.supply.total,
      checks: JSON.stringify(run.checks) as never,
    })
    .onConflict((c) => c.columns(['accountId', 'inputsHash']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!inserted) {
    const known = await db
      .selectFrom('billingRun')
      .select(['id', 'state'])
      .where('accountId', '=', accountId)
      .where('inputsHash', '=', inputsHash)
      .executeTakeFirstOrThrow();
    return { ...known, known: true };
  }
  const owner = { accountId, runId: id };
  for (const [ord, statement] of run.statements.entries())
    await bookStatement(db, owner, ord, statement, newId);
  for (const ofPoint of Map.groupBy(run.intervals, ({ usagePoint }) => usagePoint).values())
    await bookIntervals(db, owner, ofPoint);
  return { id, state: 'draft', known: false };
}

/** Locks a run for good; locking twice changes nothing. @throws when its statements are not the supply bill. */
export async function lockRun(db: Db, accountId: string, id: string, now: Date): Promise<void> {
  await db
    .updateTable('billingRun')
    .set({ state: 'locked', lockedAt: now })
    .where('accountId', '=', accountId)
    .where('id', '=', id)
    .where('state', '=', 'draft')
    .execute();
}

interface RunKey {
  readonly accountId: string;
  readonly runId: string;
}

async function bookStatement(
  db: Db,
  key: RunKey,
  ord: number,
  { lines, ...statement }: StatementRecord,
  newId: NewId,
): Promise<void> {
  const id = newId();
  await db
    .insertInto('statement')
    .values({ id, ...key, ord, ...statement })
    .execute();
  await db
    .insertInto('statementLine')
    .values(lines.map((line, at) => ({ id: newId(), ...key, statementId: id, ord: at, ...lineRow(line) })))
    .execute();
}

const lineRow = ({ poolLines, intervalAt, ...line }: LineRecord) => ({
  ...line,
  poolLines: JSON.stringify(poolLines) as never,
  intervalAt: intervalAt === null ? null : new Date(intervalAt),
});

/** One insert a usage point: a month has three thousand rows, more than one list of parameters can hold. */
async function bookIntervals(
  db: Db,
  { accountId, runId }: RunKey,
  intervals: readonly IntervalRecord[],
): Promise<void> {
  const rows = intervals.map(({ usagePoint, tariffVersion, at, ...row }) => ({
    ...row,
    usage_point: usagePoint,
    tariff_version: tariffVersion,
    at: new Date(at).toISOString(),
  }));
  await sql`
    insert into billing_interval
      (account_id, run_id, usage_point, at, party, energy, through, quality, rule, band, tariff_version, registers)
    select ${accountId}, ${runId}, usage_point, at, party, energy, through, quality, rule, band, tariff_version, registers
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x (
      usage_point text, at timestamptz, party text, energy numeric, through numeric, quality text, rule text,
      band text, tariff_version text, registers jsonb)`.execute(db);
}
