import './oidc-tables.ts';
import { sql } from 'kysely';
import { type Db, withAccount } from '../platform/db.ts';
import { changeVersioned, removeVersioned, type Versioned } from '../platform/versioned.ts';

export interface ProviderRow {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly sealedClientSecret: string | null;
  readonly trustSecondFactor: boolean;
  readonly secondFactorAcr: string[];
  readonly defaultRole: string | null;
  readonly version: number;
  /** How many people are known through it. */
  readonly people: number;
}

/** What is kept of a provider by itself. */
type ProviderFacts = Omit<ProviderRow, 'version' | 'people'>;

/** A login under way, as it is held against the answer of the provider. */
export interface Flow {
  readonly accountId: string;
  readonly providerId: string;
  readonly browserHash: Buffer;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly back: string;
  /** Set where somebody who is logged in links the own person. */
  readonly personId: string | null;
  readonly expiresAt: Date;
}

const columns = [
  ...(['id', 'accountId', 'name', 'issuer', 'clientId', 'sealedClientSecret'] as const),
  ...(['trustSecondFactor', 'secondFactorAcr', 'defaultRole', 'version'] as const),
  sql<number>`(select count(*)::int from person_identity i
    where i.account_id = identity_provider.account_id and i.provider_id = identity_provider.id)`.as('people'),
] as const;

/** What is looked up for whoever asks, known or not, and tells no more than that. */
export const oidcGate = {
  async providers(db: Db): Promise<{ id: string; name: string }[]> {
    const { rows } = await sql<{ id: string; name: string }>`select id, name from login_providers()`.execute(
      db,
    );
    return rows;
  },

  /** Those of one account: the staff's own rows, and people of a tenant log in through them as well. */
  async offeredBy(db: Db, accountId: string): Promise<{ id: string; name: string }[]> {
    const rows = await withAccount(db, accountId, (trx) => providers.list(trx, accountId));
    return rows.map(({ id, name }) => ({ id, name }));
  },

  async accountOf(db: Db, providerId: string): Promise<string | undefined> {
    const { rows } = await sql<{ account: string | null }>`
      select provider_account(${providerId}) as account`.execute(db);
    return rows[0]?.account ?? undefined;
  },

  /** The login of a state, once: whoever comes second finds none. */
  async takeFlow(db: Db, stateHash: Buffer): Promise<Flow | undefined> {
    const { rows } = await sql<Flow>`select * from oidc_flow_take(${stateHash})`.execute(db);
    return rows[0];
  },

  async sweepFlows(db: Db, at: Date): Promise<void> {
    await sql`select oidc_flow_sweep(${at})`.execute(db);
  },
};

/** Inside `withActor` or `withAccount`. */
export const providers = {
  async list(db: Db, accountId: string): Promise<ProviderRow[]> {
    return db
      .selectFrom('identityProvider')
      .select(columns)
      .where('accountId', '=', accountId)
      .orderBy(sql`lower(name)`)
      .orderBy('id')
      .limit(500)
      .execute();
  },

  async find(db: Db, accountId: string, id: string): Promise<ProviderRow | undefined> {
    return db
      .selectFrom('identityProvider')
      .select(columns)
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst();
  },

  /** @returns false when the account has this client of this issuer already. */
  async add(db: Db, row: ProviderFacts): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('identityProvider')
      .values(row)
      .onConflict((c) => c.doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  },

  /** Unless somebody else saved since `version` was read. @returns whether it was saved. */
  change: (
    db: Db,
    row: Versioned,
    changes: Partial<Omit<ProviderFacts, 'id' | 'accountId'>>,
  ): Promise<boolean> => changeVersioned(db, 'identityProvider', row, changes),

  /** @returns whether it was there in this version. */
  remove: (db: Db, accountId: string, id: string, version: number): Promise<boolean> =>
    removeVersioned(db, 'identityProvider', { accountId, id, version }),
};

/** Who somebody is at a provider; inside `withActor` or `withAccount`. */
export const identities = {
  /** The person of a subject, if the person may come in. */
  async personOf(db: Db, accountId: string, providerId: string, subject: string) {
    return db
      .selectFrom('personIdentity as i')
      .innerJoin('person as p', 'p.id', 'i.personId')
      .select(['p.id', 'p.disabledAt'])
      .where('i.accountId', '=', accountId)
      .where('i.providerId', '=', providerId)
      .where('i.subject', '=', subject)
      .executeTakeFirst();
  },

  /** @returns false when the subject is another person, or the person another subject. */
  async link(
    db: Db,
    row: { accountId: string; providerId: string; subject: string; personId: string; linkedAt: Date },
  ): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('personIdentity')
      .values(row)
      .onConflict((c) => c.doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  },

  async of(db: Db, accountId: string, personId: string): Promise<{ providerId: string; linkedAt: Date }[]> {
    return db
      .selectFrom('personIdentity')
      .select(['providerId', 'linkedAt'])
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .execute();
  },

  /** Whether a password or a link is left to come in with. Of two who take one away at once, the second sees what the first did. */
  async mayComeIn(db: Db, accountId: string, personId: string): Promise<boolean> {
    await sql`select from person where account_id = ${accountId} and id = ${personId} for update`.execute(db);
    const { rows } = await sql<{ may: boolean }>`
      select p.password_hash is not null or exists (select from person_identity i where i.person_id = p.id) as may
      from person p where p.account_id = ${accountId} and p.id = ${personId}`.execute(db);
    return rows[0]?.may ?? false;
  },

  /** Nobody is known through the provider from now on. */
  async unlinkAll(db: Db, accountId: string, providerId: string): Promise<void> {
    await db
      .deleteFrom('personIdentity')
      .where('accountId', '=', accountId)
      .where('providerId', '=', providerId)
      .execute();
  },

  /** @returns whether there was one. */
  async unlink(db: Db, accountId: string, personId: string, providerId: string): Promise<boolean> {
    const { numDeletedRows } = await db
      .deleteFrom('personIdentity')
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .where('providerId', '=', providerId)
      .executeTakeFirst();
    return numDeletedRows === 1n;
  },
};
