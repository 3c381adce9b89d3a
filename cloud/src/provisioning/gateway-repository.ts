import './tables.ts';
import type { GatewayBody } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import { changeVersioned, removeVersioned, type Versioned } from '../platform/versioned.ts';

/** A gateway as people administer it. */
export const administered = {
  find: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('gateway as g')
      .select(['g.id', 'g.key', 'g.name', 'g.buildingId', 'g.version', 'g.publicKey', 'g.revokedAt'])
      .select(['g.claimedAt', 'g.connectedAt', 'g.configuredAt', 'g.firstValueAt'])
      .select((eb) => [
        eb
          .selectFrom('claimCode as c')
          .select((one) => one.fn.max('c.createdAt').as('at'))
          .whereRef('c.gatewayId', '=', 'g.id')
          // Once it is claimed, the code that it came with: a claim and the end of its code are one instant.
          .where((one) =>
            one.or([one('g.claimedAt', 'is', null), one('c.burnedAt', '=', one.ref('g.claimedAt'))]),
          )
          .as('codeMadeAt'),
      ])
      .where('g.accountId', '=', accountId)
      .where('g.id', '=', id)
      .executeTakeFirst(),

  async add(db: Db, row: GatewayBody & { id: string; accountId: string }): Promise<void> {
    await db.insertInto('gateway').values(row).execute();
  },

  /** @returns false when somebody saved first. */
  change: (db: Db, row: Versioned, change: Partial<GatewayBody>): Promise<boolean> =>
    changeVersioned(db, 'gateway', row, change),

  /** @returns false when somebody saved first. @throws the database's error 23503 while something hangs on it. */
  remove: (db: Db, accountId: string, id: string, version: number): Promise<boolean> =>
    removeVersioned(db, 'gateway', { accountId, id, version }),

  /** Nothing that it sends is believed from here on. */
  async throwOut(db: Db, accountId: string, id: string, at: Date): Promise<void> {
    await db
      .updateTable('gateway')
      .set({ revokedAt: at, publicKey: null, nextPublicKey: null, version: sql`version + 1` })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  /** Keeps others who ask something of the gateway, or throw it out, waiting until the end of the transaction. */
  async lock(trx: Db, accountId: string, id: string): Promise<void> {
    await trx
      .selectFrom('gateway')
      .select('id')
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .forUpdate()
      .execute();
  },

  /** The key change that it is asked for, until it was heard with its new keys. */
  rotation: (db: Db, accountId: string, gatewayId: string, at: Date) =>
    db
      .selectFrom('gatewayAsk')
      .select(['askedAt', 'expiresAt'])
      .where('accountId', '=', accountId)
      .where('gatewayId', '=', gatewayId)
      .where('what', '=', 'rotate')
      .where('answeredAt', 'is', null)
      .where('expiresAt', '>', at)
      .orderBy('askedAt')
      .limit(1)
      .executeTakeFirst(),

  /** Asks nothing of it any more; or not one thing. */
  async unask(db: Db, accountId: string, gatewayId: string, what?: 'rotate' | 'logs'): Promise<void> {
    await db
      .deleteFrom('gatewayAsk')
      .where('accountId', '=', accountId)
      .where('gatewayId', '=', gatewayId)
      .$if(what !== undefined, (query) => query.where('what', '=', what ?? 'rotate'))
      .execute();
  },

  async ask(
    db: Db,
    row: {
      id: string;
      accountId: string;
      gatewayId: string;
      what: 'rotate' | 'logs';
      lines: number | null;
      askedAt: Date;
      askedBy: string;
      expiresAt: Date;
    },
  ): Promise<void> {
    await db.insertInto('gatewayAsk').values(row).execute();
  },

  /** When it was last heard, by its data or its health; null: never. */
  async heardAt(db: Db, accountId: string, gatewayId: string): Promise<Date | null> {
    const row = await db
      .selectFrom('gatewayStatus')
      .select('heardAt')
      .where('accountId', '=', accountId)
      .where('gatewayId', '=', gatewayId)
      .executeTakeFirst();
    return row?.heardAt ?? null;
  },

  /** What was answered to a question, taken away. */
  takeAnswer: (db: Db, accountId: string, id: string) =>
    db
      .deleteFrom('gatewayAsk')
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .where('answeredAt', 'is not', null)
      .returning('answer')
      .executeTakeFirst(),
};

export type Rotation = NonNullable<Awaited<ReturnType<typeof administered.rotation>>>;
export type AdministeredGateway = NonNullable<Awaited<ReturnType<typeof administered.find>>>;
