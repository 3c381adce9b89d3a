import './tables.ts';
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';

/** Failures of one login before it is locked, and the longest lock: 1 s, 2 s, 4 s, ... 15 min. */
const FREE_FAILURES = 5;
const LONGEST_LOCK_S = 900;

export interface LoginBegun {
  /** Set: refuse without looking at the password. */
  readonly lockedUntil: Date | null;
  readonly personId: string | null;
  readonly accountId: string | null;
  readonly passwordHash: string | null;
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
/** Under what attempts at a login count that come from nowhere in particular. */
export const loginHash = (login: string): Buffer => hashOf(login.toLowerCase());
const seconds = (ms: number) => sql`make_interval(secs => ${ms / 1_000})`;

/** Looked up before an account is known: each call is one checked function of the database. */
export const gate = {
  /** Counts the attempt in its bucket, as failed until `loginSucceeded` takes it back. */
  async loginBegin(db: Db, login: string, bucket: Buffer, at: Date): Promise<LoginBegun> {
    const { rows } = await sql<LoginBegun>`
      select * from login_begin(${login}, ${bucket}, ${at}, ${FREE_FAILURES}, ${seconds(LONGEST_LOCK_S * 1_000)})`.execute(
      db,
    );
    return rows[0] ?? { lockedUntil: null, personId: null, accountId: null, passwordHash: null };
  },

  async loginSucceeded(db: Db, bucket: Buffer): Promise<void> {
    await sql`select login_succeeded(${bucket})`.execute(db);
  },

  async isSetupNeeded(db: Db): Promise<boolean> {
    const { rows } = await sql<{ needed: boolean }>`select setup_needed() as needed`.execute(db);
    return rows[0]?.needed ?? false;
  },

  /** Whether the account that the first person will belong to is there already. */
  async isParkNamed(db: Db): Promise<boolean> {
    const { rows } = await sql<{ named: boolean }>`select setup_park_named() as named`.execute(db);
    return rows[0]?.named ?? false;
  },

  /**
   * `park` names an account that has to be made; one that is there keeps its own.
   * @returns the account of the first person, or null when somebody was first.
   */
  async setUpFirstPerson(
    db: Db,
    first: {
      accountId: string;
      park: LocalText | null;
      personId: string;
      login: string;
      name: string;
      hash: string;
      roles: string[];
    },
  ): Promise<string | null> {
    const { rows } = await sql<{ account: string | null }>`
      select setup_first_person(${first.accountId}, ${first.park && JSON.stringify(first.park)}::jsonb, ${first.personId},
        ${first.login}, ${first.name}, ${first.hash}, ${first.roles}) as account`.execute(db);
    return rows[0]?.account ?? null;
  },
};

export interface Technician {
  readonly id: string;
  readonly name: string;
  readonly skills: string[];
  /** Ids of buildings and floors; empty: everywhere. */
  readonly areas: string[];
}

/** A person to be; who belongs to a tenant has roles of tenants and no other. */
export interface NewPerson {
  readonly id: string;
  readonly accountId: string;
  readonly tenantId?: string | null;
  readonly login: string;
  readonly name: string;
  readonly passwordHash: string;
  readonly grants: readonly NewGrant[];
  readonly skills?: readonly string[];
}

/** A role to be granted: on a site, on a building, or everywhere. */
export interface NewGrant {
  readonly role: string;
  readonly siteId?: string | null;
  readonly buildingId?: string | null;
}

/** Where somebody works: a whole building, or one floor. */
export type Area =
  | { readonly buildingId: string; readonly floorId: null }
  | { readonly buildingId: null; readonly floorId: string };

/** Inside an account, so inside `withActor` or `withAccount`. */
export const people = {
  /** With the name of the account. */
  find: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('person')
      .innerJoin('account', 'account.id', 'person.accountId')
      .select(['person.id', 'accountId', 'account.name as accountName', 'tenantId'])
      .select(['login', 'person.name'])
      .where('accountId', '=', accountId)
      .where('person.id', '=', id)
      .executeTakeFirst(),

  /** Who can be sent to a device, by name. */
  technicians: (db: Db, accountId: string): Promise<Technician[]> =>
    db
      .selectFrom('person as p')
      .leftJoin('personArea as a', 'a.personId', 'p.id')
      .select(['p.id', 'p.name', 'p.skills'])
      .select(
        // Who was told no areas works in the buildings that the role was granted on.
        sql<string[]>`coalesce(array_agg(coalesce(a.building_id, a.floor_id)::text
          order by a.building_id, a.floor_id) filter (where a.person_id is not null),
          technician_buildings(p.id), '{}')`.as('areas'),
      )
      .where('p.accountId', '=', accountId)
      .where('p.disabledAt', 'is', null)
      .where(
        sql<boolean>`exists (select from role_grant g where g.person_id = p.id and g.role = 'technician')`,
      )
      .groupBy(['p.id', 'p.name', 'p.skills'])
      .orderBy('p.name')
      .orderBy('p.id')
      .execute(),

  /** Makes `areas` the places where a person works. */
  async setAreas(db: Db, accountId: string, personId: string, areas: readonly Area[]): Promise<void> {
    await db
      .deleteFrom('personArea')
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .execute();
    const rows = areas.map((area) => ({ accountId, personId, ...area }));
    if (rows.length > 0) await db.insertInto('personArea').values(rows).execute();
  },

  /** Null where nobody logs in with a password as this person. */
  async passwordHashOf(db: Db, accountId: string, id: string): Promise<string | null> {
    const row = await db
      .selectFrom('person')
      .select('passwordHash')
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst();
    return row?.passwordHash ?? null;
  },

  async setPasswordHash(db: Db, accountId: string, id: string, passwordHash: string): Promise<void> {
    await db
      .updateTable('person')
      .set({ passwordHash })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  /** Whether the account has a person of this login; another account's is not seen. */
  async hasLogin(db: Db, accountId: string, login: string): Promise<boolean> {
    const row = await db
      .selectFrom('person')
      .select('id')
      .where('accountId', '=', accountId)
      .where(sql`lower(login)`, '=', login.toLowerCase())
      .executeTakeFirst();
    return row !== undefined;
  },

  /** Adds a person unless the login is taken. @returns whether it was free. */
  async add(
    db: Db,
    { tenantId = null, grants, skills = [], ...person }: NewPerson,
    newId: NewId,
  ): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('person')
      .values({ ...person, tenantId, skills: [...skills] })
      .onConflict((c) => c.expression(sql`lower(login)`).doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== 1n) return false;
    await people.grant(db, person.accountId, person.id, grants, newId);
    return true;
  },

  /** Adds what the person was not granted yet. */
  async grant(
    db: Db,
    accountId: string,
    personId: string,
    grants: readonly NewGrant[],
    newId: NewId,
  ): Promise<void> {
    const rows = grants.map(({ role, siteId = null, buildingId = null }) => ({
      ...{ id: newId(), accountId, personId, role, siteId, buildingId },
    }));
    if (rows.length > 0)
      await db
        .insertInto('roleGrant')
        .values(rows)
        .onConflict((c) => c.doNothing())
        .execute();
  },
};
