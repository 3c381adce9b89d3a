import './tables.ts';
import type { DeliveryQuery, PauseWhy } from '@parkline/contract';
import { type Selectable, sql } from 'kysely';
import type { Db, Tables } from '../platform/db.ts';
import { changeVersioned, removeVersioned } from '../platform/versioned.ts';

/** `formerUntil`: until when deliveries carry the signature of a former secret as well; null: there is none. */
export type WebhookRow = Selectable<Tables['webhook']> & { readonly formerUntil: Date | null };
export type DeliveryRow = Selectable<Tables['webhookDelivery']>;

export interface NewWebhookRow {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly url: string;
  readonly kinds: string[];
  readonly sealedSecret: string;
  readonly createdAt: Date;
}

/** What a change sets; what is absent stays. */
export interface WebhookSetting {
  readonly name?: string;
  readonly url?: string;
  readonly kinds?: string[];
  readonly pausedAt?: Date | null;
  readonly pausedWhy?: PauseWhy | null;
  readonly failingSince?: null;
}

const selected = (db: Db, accountId: string) =>
  db
    .selectFrom('webhook')
    .selectAll()
    .select(
      sql<Date | null>`(select max(f.valid_until) from webhook_former_secret f where f.webhook_id = webhook.id)`.as(
        'formerUntil',
      ),
    )
    .where('accountId', '=', accountId);

/** Subscriptions, inside an account. */
export const webhooks = {
  page: (db: Db, accountId: string, { limit, after }: { limit: number; after?: string | undefined }) =>
    selected(db, accountId)
      .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
      .orderBy('id')
      .limit(limit)
      .execute(),

  find: (db: Db, accountId: string, id: string): Promise<WebhookRow | undefined> =>
    selected(db, accountId).where('id', '=', id).executeTakeFirst(),

  /** As `find`, held until the transaction ends. */
  lock: (db: Db, accountId: string, id: string): Promise<WebhookRow | undefined> =>
    selected(db, accountId).where('id', '=', id).forUpdate().executeTakeFirst(),

  count: async (db: Db, accountId: string): Promise<number> => {
    const { n } = await db
      .selectFrom('webhook')
      .select((eb) => eb.fn.countAll<string>().as('n'))
      .where('accountId', '=', accountId)
      .executeTakeFirstOrThrow();
    return Number(n);
  },

  async add(db: Db, row: NewWebhookRow): Promise<void> {
    await db.insertInto('webhook').values(row).execute();
  },

  /** @returns whether it was still the version that the change was made on. */
  change: (
    db: Db,
    { accountId, id }: Pick<WebhookRow, 'accountId' | 'id'>,
    version: number,
    set: WebhookSetting,
  ): Promise<boolean> => changeVersioned(db, 'webhook', { accountId, id, version }, set),

  /** Signs with another secret from now on; the one before, sealed in its new place, signs as well until `validUntil`. */
  async replaceSecret(
    db: Db,
    { accountId, id }: Pick<WebhookRow, 'accountId' | 'id'>,
    sealedSecret: string,
    former: { readonly id: string; readonly sealedSecret: string; readonly validUntil: Date },
  ): Promise<void> {
    await db
      .insertInto('webhookFormerSecret')
      .values({ accountId, webhookId: id, ...former })
      .execute();
    await db
      .updateTable('webhook')
      .set({ sealedSecret })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  /** How many former secrets still sign. */
  async countFormer(db: Db, accountId: string, webhookId: string, at: Date): Promise<number> {
    const { n } = await db
      .selectFrom('webhookFormerSecret')
      .select(sql<number>`count(*)::int`.as('n'))
      .where('accountId', '=', accountId)
      .where('webhookId', '=', webhookId)
      .where('validUntil', '>', at)
      .executeTakeFirstOrThrow();
    return n;
  },

  /** With its deliveries. @returns whether it was still that version. */
  remove: (db: Db, accountId: string, id: string, version: number): Promise<boolean> =>
    removeVersioned(db, 'webhook', { accountId, id, version }),
};

export interface NewDelivery {
  readonly id: string;
  readonly accountId: string;
  readonly webhookId: string;
  readonly eventId: string;
  readonly kind: string;
  readonly body: string;
  readonly createdAt: Date;
}

/** Deliveries of a subscription, inside an account. */
export const deliveries = {
  /** Newest first. */
  page: (db: Db, webhookId: string, { state, after, limit }: DeliveryQuery): Promise<DeliveryRow[]> =>
    db
      .selectFrom('webhookDelivery')
      .selectAll()
      .where('webhookId', '=', webhookId)
      .$if(state !== undefined, (query) => query.where('state', '=', state!))
      .$if(after !== undefined, (query) => query.where('id', '<', after ?? ''))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute(),

  /** One for each subscription of the account that wants the kind; told twice, there is still one. */
  async fanOut(db: Db, event: Omit<NewDelivery, 'id' | 'webhookId'>, newId: () => string): Promise<number> {
    const { accountId, kind } = event;
    const wanting = await db
      .selectFrom('webhook')
      .select('id')
      .where('accountId', '=', accountId)
      .where(sql<boolean>`${kind} = any (kinds)`)
      .execute();
    for (const { id } of wanting) await deliveries.add(db, { ...event, id: newId(), webhookId: id });
    return wanting.length;
  },

  async add(db: Db, delivery: NewDelivery): Promise<void> {
    await db
      .insertInto('webhookDelivery')
      .values({ ...delivery, state: 'waiting', nextAt: delivery.createdAt })
      .onConflict((c) => c.columns(['webhookId', 'eventId']).doNothing())
      .execute();
  },

  /** Sends again what a person asks for, at once. @returns how many. */
  async replay(
    db: Db,
    webhookId: string,
    {
      deliveryId,
      from,
      to,
    }: { deliveryId?: string | undefined; from?: Date | undefined; to?: Date | undefined },
    at: Date,
  ): Promise<number> {
    const { numUpdatedRows } = await db
      .updateTable('webhookDelivery')
      .set({ state: 'waiting', nextAt: at, firstAt: null, attempts: 0 })
      .where('webhookId', '=', webhookId)
      .$if(deliveryId !== undefined, (query) => query.where('id', '=', deliveryId ?? ''))
      .$if(from !== undefined, (query) => query.where('createdAt', '>=', from ?? at))
      .$if(to !== undefined, (query) => query.where('createdAt', '<', to ?? at))
      .executeTakeFirst();
    return Number(numUpdatedRows);
  },
};
