import './tables.ts';
import { type Selectable, sql } from 'kysely';
import type { Db, Tables } from '../platform/db.ts';

/** In the order of the newest period; a page begins after the run that the last one ended with. */
export interface RunCursor {
  readonly fromDate: string;
  readonly id: string;
}

/** The books as finance reads them. Call within `withActor`: a tenant finds nothing here. */
export const books = {
  runs: (db: Db, accountId: string, { limit, after }: { limit: number; after: RunCursor | undefined }) =>
    runQuery(db, accountId)
      .$if(after !== undefined, (query) =>
        query.where(
          sql<boolean>`(r.from_date < ${after?.fromDate}::date
            or r.from_date = ${after?.fromDate}::date and r.id > ${after?.id}::uuid)`,
        ),
      )
      .orderBy('r.fromDate', 'desc')
      .orderBy('r.id')
      .limit(limit)
      .execute(),

  run: (db: Db, accountId: string, id: string) =>
    runQuery(db, accountId).where('r.id', '=', id).executeTakeFirst(),

  statements: (db: Db, accountId: string, runId: string) =>
    db
      .selectFrom('statement')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('runId', '=', runId)
      .orderBy('ord')
      .execute(),

  statement: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('statement')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst(),

  lines: (db: Db, accountId: string, statementId: string) =>
    db
      .selectFrom('statementLine')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('statementId', '=', statementId)
      .orderBy('ord')
      .execute(),

  line: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('statementLine as l')
      .innerJoin('billingRun as r', 'r.id', 'l.runId')
      .selectAll('l')
      .select('r.intervalMs')
      .where('l.accountId', '=', accountId)
      .where('l.id', '=', id)
      .executeTakeFirst(),

  intervals: (
    db: Db,
    accountId: string,
    line: LineRow,
    page: { limit: number; after: IntervalCursor | undefined },
  ) =>
    db
      .selectFrom('billingInterval')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('runId', '=', line.runId)
      .where(sql<boolean>`usage_point = any(${[...line.usagePoints]}::text[])`)
      .$if(line.band !== null, (query) => query.where('band', '=', line.band))
      .$if(line.tariffVersion !== null, (query) => query.where('tariffVersion', '=', line.tariffVersion))
      .$if(line.intervalParty !== null, (query) => query.where('party', '=', line.intervalParty))
      .$if(line.intervalAt !== null, (query) => query.where('at', '=', line.intervalAt))
      .$if(page.after !== undefined, (query) =>
        query.where(
          sql<boolean>`(usage_point, at) > (${page.after?.usagePoint}, ${page.after?.at}::timestamptz)`,
        ),
      )
      .orderBy('usagePoint')
      .orderBy('at')
      .limit(page.limit)
      .execute(),
};

export type RunRow = NonNullable<Awaited<ReturnType<typeof books.run>>>;
export type StatementRow = Selectable<Tables['statement']>;
export type LineRow = Selectable<Tables['statementLine']>;
export type IntervalRow = Selectable<Tables['billingInterval']>;

/** Where a page of intervals begins. */
export interface IntervalCursor {
  readonly usagePoint: string;
  /** ISO instant. */
  readonly at: string;
}

const runQuery = (db: Db, accountId: string) =>
  db
    .selectFrom('billingRun as r')
    .select(['r.id', 'r.siteName', 'r.timezone', 'r.currency', 'r.intervalMs', 'r.state', 'r.createdAt'])
    .select(['r.lockedAt', 'r.inputsHash', 'r.supplyKwh', 'r.supplyEnergy', 'r.supplyDemand'])
    .select(['r.supplyPowerFactor', 'r.supplyTotal', 'r.checks'])
    .select([sql<string>`r.from_date::text`.as('fromDate'), sql<string>`r.to_date::text`.as('toDate')])
    .select((eb) => [
      eb
        .selectFrom('statement as s')
        .select(sql<number>`count(*)::int`.as('n'))
        .whereRef('s.runId', '=', 'r.id')
        .$asScalar()
        .as('statementCount'),
      eb
        .selectFrom('statement as s')
        .select(sql<string>`coalesce(sum(s.total), 0)::text`.as('sum'))
        .whereRef('s.runId', '=', 'r.id')
        .$asScalar()
        .as('total'),
    ])
    .where('r.accountId', '=', accountId)
    .$narrowType<{ statementCount: number; total: string }>();
