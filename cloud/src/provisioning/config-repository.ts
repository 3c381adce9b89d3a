import './tables.ts';
import type { Db } from '../platform/db.ts';

const listed = (db: Db, accountId: string, gatewayId: string) =>
  db
    .selectFrom('gatewayConfig as c')
    .leftJoin('person as p', 'p.id', 'c.createdBy')
    .select(['c.n', 'c.source', 'c.createdAt', 'c.state', 'c.why', 'c.endedAt', 'p.name as createdByName'])
    .where('c.accountId', '=', accountId)
    .where('c.gatewayId', '=', gatewayId);

/** The configurations that were offered to a gateway. */
export const configs = {
  /** Newest first. */
  list: (db: Db, accountId: string, gatewayId: string) =>
    listed(db, accountId, gatewayId).orderBy('c.n', 'desc').limit(100).execute(),

  text: (db: Db, accountId: string, gatewayId: string, n: number) =>
    listed(db, accountId, gatewayId).select('c.yaml').where('c.n', '=', n).executeTakeFirst(),

  /** The text that a gateway runs with, as far as the cloud knows: the newest that it kept. */
  inForce: (db: Db, accountId: string, gatewayId: string) =>
    db
      .selectFrom('gatewayConfig')
      .select(['n', 'yaml'])
      .where('accountId', '=', accountId)
      .where('gatewayId', '=', gatewayId)
      .where('state', 'in', ['applied', 'kept'])
      .orderBy('n', 'desc')
      .limit(1)
      .executeTakeFirst(),

  /**
   * Takes note of the text that a gateway runs with from elsewhere. One that was noted so before makes room: only what was sent
   * from here has a history. @returns false when it was noted already.
   */
  async note(
    trx: Db,
    row: { id: string; accountId: string; gatewayId: string; yaml: string; createdAt: Date },
  ): Promise<boolean> {
    const { accountId, gatewayId, yaml, createdAt } = row;
    const current = await configs.inForce(trx, accountId, gatewayId);
    if (current?.yaml === yaml) return false;
    await trx
      .deleteFrom('gatewayConfig')
      .where('accountId', '=', accountId)
      .where('gatewayId', '=', gatewayId)
      .where('source', '=', 'gateway')
      .execute();
    const n = await nextNumber(trx, accountId, gatewayId);
    await trx
      .insertInto('gatewayConfig')
      .values({ ...row, n, source: 'gateway', state: 'kept', createdBy: null, endedAt: createdAt })
      .execute();
    return true;
  },

  /** Makes a version that waits to be sent; one that waits or was sent before it is overtaken. @returns its number. */
  async add(
    trx: Db,
    row: {
      id: string;
      accountId: string;
      gatewayId: string;
      yaml: string;
      source: 'made' | 'file';
      createdAt: Date;
      createdBy: string;
    },
  ): Promise<number> {
    const { accountId, gatewayId, createdAt } = row;
    // Two who offer at once get two numbers.
    await trx
      .selectFrom('gateway')
      .select('id')
      .where('accountId', '=', accountId)
      .where('id', '=', gatewayId)
      .forUpdate()
      .execute();
    await trx
      .updateTable('gatewayConfig')
      .set({ state: 'overtaken', endedAt: createdAt })
      .where('accountId', '=', accountId)
      .where('gatewayId', '=', gatewayId)
      .where('state', 'in', ['waiting', 'sent'])
      .execute();
    const n = await nextNumber(trx, accountId, gatewayId);
    await trx
      .insertInto('gatewayConfig')
      .values({ ...row, n, state: 'waiting' })
      .execute();
    return n;
  },
};

async function nextNumber(trx: Db, accountId: string, gatewayId: string): Promise<number> {
  const last = await trx
    .selectFrom('gatewayConfig')
    .select((eb) => eb.fn.max('n').as('n'))
    .where('accountId', '=', accountId)
    .where('gatewayId', '=', gatewayId)
    .executeTakeFirst();
  return (last?.n ?? 0) + 1;
}

export type ListedConfig = Awaited<ReturnType<typeof configs.list>>[number];
