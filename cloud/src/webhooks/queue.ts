import './tables.ts';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { Sent } from './send.ts';

/** A delivery that is to be tried now, with what it takes. */
export interface Due {
  readonly id: string;
  readonly accountId: string;
  readonly webhookId: string;
  readonly eventId: string;
  readonly body: string;
  readonly attempts: number;
  readonly firstAt: Date;
  readonly url: string;
  readonly sealedSecret: string;
  /** Those it was signed with before and still is. */
  readonly formers: readonly { readonly id: string; readonly sealed: string }[];
}

/** A try that is not over by then belongs to a process that died. */
const LEASE_MS = 60_000;
/** How many of one subscription are tried at once. */
const SIDE_BY_SIDE = 2;

/** Over all accounts, for background work. */
export const queue = {
  /**
   * Takes up to `limit` that are due, at most two of one subscription, the longest due first; nobody else gets them
   * meanwhile. Of the subscriptions in `busy` none is taken.
   */
  async take(db: Db, now: Date, limit: number, busy: readonly string[]): Promise<Due[]> {
    const { rows } = await sql<Due>`
      with due as (
        select d.id from webhook w cross join lateral (
          select d.id, d.next_at from webhook_delivery d
          where d.webhook_id = w.id and d.state = 'waiting' and d.next_at <= ${now}
          order by d.next_at, d.id limit ${SIDE_BY_SIDE} for update of d skip locked
        ) d
        where w.paused_at is null and w.id <> all (${[...busy]}::uuid[])
        order by d.next_at, d.id limit ${limit}
      )
      update webhook_delivery d set attempts = d.attempts + 1, last_at = ${now}, first_at = coalesce(d.first_at, ${now}),
        next_at = ${new Date(now.getTime() + LEASE_MS)}
      from due, webhook w where d.id = due.id and w.id = d.webhook_id
      returning d.id, d.account_id, d.webhook_id, d.event_id, d.body, d.attempts, d.first_at, w.url, w.sealed_secret,
        (select coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'sealed', f.sealed_secret) order by f.id desc), '[]')
         from webhook_former_secret f where f.webhook_id = w.id and f.valid_until > ${now}) as formers`.execute(
      db,
    );
    return rows;
  },

  /** Notes how a try went, unless it was asked for anew meanwhile. `nextAt` null ends it. */
  async note(db: Db, { id, attempts }: Due, sent: Sent, nextAt: Date | null): Promise<void> {
    const state = sent.error === null ? 'delivered' : nextAt ? 'waiting' : 'failed';
    await db
      .updateTable('webhookDelivery')
      .set({ ...sent, state, nextAt: state === 'waiting' ? nextAt : null })
      .where('id', '=', id)
      .where('attempts', '=', attempts)
      .where('state', '=', 'waiting')
      .execute();
  },

  /** The receiver is well. */
  async noteWell(db: Db, webhookId: string, at: Date): Promise<void> {
    await db
      .updateTable('webhook')
      .set({ deliveredAt: at, failingSince: null })
      .where('id', '=', webhookId)
      .execute();
  },

  /** The receiver failed. @returns since when it has done nothing else. */
  async noteFailing(db: Db, webhookId: string, at: Date): Promise<Date> {
    const { rows } = await sql<{ failingSince: Date }>`
      update webhook set failing_since = coalesce(failing_since, ${at}) where id = ${webhookId}
      returning failing_since`.execute(db);
    return rows[0]?.failingSince ?? at;
  },

  /** @returns whether it was not paused before. */
  async pause(db: Db, webhookId: string, why: 'failing' | 'gone', at: Date): Promise<boolean> {
    const { numUpdatedRows } = await db
      .updateTable('webhook')
      .set({ pausedAt: at, pausedWhy: why })
      .where('id', '=', webhookId)
      .where('pausedAt', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },

  /** Forgets secrets that sign nothing any more. @returns how many. */
  async sweepFormers(db: Db, now: Date): Promise<number> {
    const { numDeletedRows } = await db
      .deleteFrom('webhookFormerSecret')
      .where('validUntil', '<=', now)
      .executeTakeFirst();
    return Number(numDeletedRows);
  },

  /** Forgets what was settled before. @returns how many. */
  async sweep(db: Db, before: Date): Promise<number> {
    const { rows } = await sql<{ n: number }>`
      with gone as (delete from webhook_delivery where id in (
        select id from webhook_delivery where state <> 'waiting' and created_at < ${before} limit 1000) returning 1)
      select count(*)::int as n from gone`.execute(db);
    return rows[0]?.n ?? 0;
  },
};
