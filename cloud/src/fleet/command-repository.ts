import './command-tables.ts';
import './tables.ts';
import type { CommandState } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db, Tables } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { CommandPoint } from './command-domain.ts';

export type CommandRecord = Tables['command'];

/** A command with the names of what it is about. */
export interface CommandRow extends CommandRecord {
  readonly pointName: LocalText;
  readonly unit: string;
  readonly decimals: number;
  readonly states: Readonly<Record<string, LocalText>> | null;
  readonly equipmentName: LocalText;
}

export interface CommandFilter {
  readonly point?: string | undefined;
  readonly equipment?: string | undefined;
  readonly state?: CommandState | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

export const commands = {
  point: (db: Db, accountId: string, id: string): Promise<CommandPoint | undefined> =>
    db
      .selectFrom('point as p')
      .innerJoin('equipment as e', (join) =>
        join.onRef('e.accountId', '=', 'p.accountId').onRef('e.id', '=', 'p.equipmentId'),
      )
      .select(['p.id', 'p.kind', 'p.unit', 'p.protocol', 'p.write', 'e.id as equipmentId', 'e.gatewayId'])
      .where('p.accountId', '=', accountId)
      .where('p.id', '=', id)
      .executeTakeFirst(),

  async insert(db: Db, command: CommandRecord): Promise<void> {
    await db.insertInto('command').values(command).execute();
  },

  /** Newest first. */
  page: (db: Db, accountId: string, { point, equipment, state, after, limit }: CommandFilter) =>
    rows(db, accountId)
      .$if(point !== undefined, (q) => q.where('c.pointId', '=', point ?? ''))
      .$if(equipment !== undefined, (q) => q.where('c.equipmentId', '=', equipment ?? ''))
      .$if(state !== undefined, (q) => q.where('c.state', '=', state ?? 'queued'))
      .$if(after !== undefined, (q) => q.where('c.id', '<', after ?? ''))
      .orderBy('c.id', 'desc')
      .limit(limit)
      .execute(),

  find: (db: Db, accountId: string, id: string): Promise<CommandRow | undefined> =>
    rows(db, accountId).where('c.id', '=', id).executeTakeFirst(),

  /** Held by this transaction, so that two people cannot decide at once, nor the signer send meanwhile. */
  lock: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('command')
      .select(['id', 'pointId', 'state', 'actorId'])
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst(),

  async update(db: Db, accountId: string, id: string, change: Partial<CommandRecord>): Promise<void> {
    await db
      .updateTable('command')
      .set(change)
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  /**
   * What waits to be sent to gateways that were heard since, oldest first, locked: of several signers one takes each.
   * Over all accounts, so as ingest only.
   */
  queued: (db: Db, heardSince: Date, limit: number): Promise<CommandRecord[]> =>
    db
      .selectFrom('command as c')
      .selectAll('c')
      .where('c.state', '=', 'queued')
      .where(
        sql<boolean>`exists (select from gateway_status s where s.gateway_id = c.gateway_id and s.heard_at >= ${heardSince})`,
      )
      .orderBy('c.id')
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .execute(),

  /** What is over by time, locked. Over all accounts, so as ingest only. */
  due: (db: Db, now: Date, limit: number): Promise<CommandRecord[]> =>
    db
      .selectFrom('command')
      .selectAll()
      .where('dueAt', '<=', now)
      .orderBy('dueAt')
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .execute(),
};

const rows = (db: Db, accountId: string) =>
  db
    .selectFrom('command as c')
    .innerJoin('point as p', 'p.id', 'c.pointId')
    .innerJoin('equipment as e', 'e.id', 'c.equipmentId')
    .selectAll('c')
    .select(['p.name as pointName', 'p.unit', 'p.decimals', 'p.states', 'e.name as equipmentName'])
    .where('c.accountId', '=', accountId);
