import './people-tables.ts';
import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import type { GrantRow } from './people-tables.ts';
import type { Right } from './rights.ts';

/** A person as its administrators see it. */
export interface PersonRow {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly email: string | null;
  readonly language: 'zh-CN' | 'en';
  readonly tenantId: string | null;
  readonly skills: string[];
  readonly areas: string[];
  readonly grants: readonly (GrantRow & { readonly id: string })[];
  readonly hasPassword: boolean;
  readonly hasSecondFactor: boolean;
  readonly createdAt: Date;
  readonly lastSeenAt: Date | null;
  readonly disabledAt: Date | null;
  readonly erasedAt: Date | null;
  readonly version: number;
}

/** What is looked for; `after` is the id that the last page ended with. */
export interface RosterQuery {
  readonly search?: string | undefined;
  readonly role?: string | undefined;
  readonly tenant?: string | undefined;
  readonly state?: 'active' | 'disabled' | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

const columns = sql`p.id, p.login, p.name, p.email, p.language, p.tenant_id, p.skills,
  coalesce((select array_agg(coalesce(a.building_id, a.floor_id)::text order by a.building_id, a.floor_id)
    from person_area a where a.person_id = p.id), '{}') as areas,
  coalesce((select jsonb_agg(jsonb_build_object('id', g.id, 'role', g.role, 'siteId', g.site_id, 'buildingId', g.building_id)
    order by g.role, g.id) from role_grant g where g.person_id = p.id), '[]') as grants,
  p.password_hash is not null as has_password,
  (exists (select from totp t where t.account_id = p.account_id and t.person_id = p.id and t.confirmed_at is not null)
    or exists (select from passkey k where k.account_id = p.account_id and k.person_id = p.id)) as has_second_factor,
  p.created_at, p.disabled_at, p.erased_at, p.version,
  (select max(s.seen_at) from session s where s.person_id = p.id) as last_seen_at`;

/** The fields that are edited by themselves. */
export interface PersonChange {
  readonly name?: string;
  readonly email?: string | null;
  readonly language?: 'zh-CN' | 'en';
  readonly skills?: readonly string[];
  readonly disabledAt?: Date | null;
}

const idsOf = (grants: readonly GrantRow[], place: 'siteId' | 'buildingId'): string[] =>
  grants.flatMap((grant) => grant[place] ?? []);

/** People as their administrators keep them; inside `withActor`. */
export const roster = {
  /** By name, then id. */
  async page(db: Db, accountId: string, query: RosterQuery): Promise<PersonRow[]> {
    const { search, role, tenant, state, after, limit } = query;
    const filters: RawBuilder<unknown>[] = [sql`p.account_id = ${accountId}`];
    if (search)
      filters.push(sql`position(lower(${search}) in lower(concat_ws(E'\n', p.name, p.login, p.email))) > 0`);
    if (role)
      filters.push(sql`exists (select from role_grant g where g.person_id = p.id and g.role = ${role})`);
    if (tenant) filters.push(sql`p.tenant_id = ${tenant}`);
    if (state) filters.push(state === 'active' ? sql`p.disabled_at is null` : sql`p.disabled_at is not null`);
    if (after)
      filters.push(
        sql`(lower(p.name), p.id) > (select lower(b.name), b.id from person b where b.id = ${after})`,
      );
    const { rows } = await sql<PersonRow>`
      select ${columns} from person p where ${sql.join(filters, sql` and `)}
      order by lower(p.name), p.id limit ${limit}`.execute(db);
    return rows;
  },

  async find(db: Db, accountId: string, id: string): Promise<PersonRow | undefined> {
    const { rows } = await sql<PersonRow>`
      select ${columns} from person p where p.account_id = ${accountId} and p.id = ${id}`.execute(db);
    return rows[0];
  },

  /** The person of a login; another account's is not seen. */
  async byLogin(db: Db, accountId: string, login: string) {
    return db
      .selectFrom('person')
      .select(['id', 'disabledAt'])
      .where('accountId', '=', accountId)
      .where(sql`lower(login)`, '=', login.toLowerCase())
      .executeTakeFirst();
  },

  /**
   * As `find`, held until the transaction ends. Changes of an account's people come one after the other: whoever may be the last
   * administrator asks for all of them, and two who did so from two rows would wait for each other.
   */
  async lock(db: Db, accountId: string, id: string): Promise<PersonRow | undefined> {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`people of ${accountId}`}, 0))`.execute(db);
    await sql`select from person p where p.account_id = ${accountId} and p.id = ${id} for update`.execute(db);
    return roster.find(db, accountId, id);
  },

  /** Adds a person without a password. @returns false when the login is taken, here or in another account. */
  async add(
    db: Db,
    person: {
      readonly id: string;
      readonly accountId: string;
      readonly tenantId: string | null;
      readonly login: string;
      readonly name: string;
      readonly email: string | null;
      readonly language: 'zh-CN' | 'en';
      readonly passwordHash?: string;
    },
  ): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('person')
      .values({ ...person, passwordHash: person.passwordHash ?? null })
      .onConflict((c) => c.expression(sql`lower(login)`).doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  },

  /** Writes what changed and counts the version up. */
  async change(db: Db, accountId: string, id: string, changes: PersonChange): Promise<void> {
    const { skills, ...rest } = changes;
    await db
      .updateTable('person')
      .set({ ...rest, ...(skills && { skills: [...skills] }), version: sql<number>`version + 1` })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  /** Makes these buildings and floors the places where somebody works. @returns false when one of them is not known here. */
  async setAreas(db: Db, accountId: string, id: string, areas: readonly string[]): Promise<boolean> {
    await db.deleteFrom('personArea').where('accountId', '=', accountId).where('personId', '=', id).execute();
    const { numAffectedRows } = await sql`
      insert into person_area (account_id, person_id, building_id, floor_id)
      select b.account_id, ${id}::uuid, b.id, null::uuid from building b
        where b.account_id = ${accountId} and b.id = any (${[...areas]}::uuid[])
      union all
      select f.account_id, ${id}::uuid, null::uuid, f.id from floor f
        where f.account_id = ${accountId} and f.id = any (${[...areas]}::uuid[])`.execute(db);
    return numAffectedRows === BigInt(areas.length);
  },

  /**
   * The grants with the buildings that each stands for; undefined when a place is not known here or not in sight. A site
   * may get further buildings, so it counts as everywhere: who gives it must hold as much.
   */
  async rights(db: Db, accountId: string, grants: readonly GrantRow[]): Promise<Right[] | undefined> {
    const { rows } = await sql<{ id: string }>`
      select id from site where account_id = ${accountId} and id = any (${idsOf(grants, 'siteId')}::uuid[])
      union all
      select id from building where account_id = ${accountId} and id = any (${idsOf(grants, 'buildingId')}::uuid[])`.execute(
      db,
    );
    const known = new Set(rows.map(({ id }) => id));
    if (
      grants.some(({ siteId, buildingId }) =>
        [siteId, buildingId].some((id) => id !== null && !known.has(id)),
      )
    )
      return undefined;
    return grants.map(({ role, buildingId }) => ({
      role,
      buildings: buildingId === null ? null : [buildingId],
    }));
  },

  /** @returns the id, or undefined when the person has this right already. */
  async grant(
    db: Db,
    newId: NewId,
    { accountId, personId, ...grant }: GrantRow & { readonly accountId: string; readonly personId: string },
  ): Promise<string | undefined> {
    const row = await db
      .insertInto('roleGrant')
      .values({ id: newId(), accountId, personId, ...grant })
      .onConflict((c) => c.doNothing())
      .returning('id')
      .executeTakeFirst();
    return row?.id;
  },

  async revoke(db: Db, accountId: string, grantId: string): Promise<void> {
    await db.deleteFrom('roleGrant').where('accountId', '=', accountId).where('id', '=', grantId).execute();
  },

  /**
   * Whether somebody other than `personId` could still administer the account: enabled, and able to log in. Holds every such administrator until the
   * transaction ends: of two who take each other's rights away at once, the second sees what the first did.
   */
  async hasOtherAdmin(db: Db, accountId: string, personId: string): Promise<boolean> {
    const { rows } = await sql<{ id: string }>`
      select p.id from person p where p.account_id = ${accountId} and p.disabled_at is null
        and (p.password_hash is not null or exists (select from person_identity i where i.person_id = p.id))
        and exists (select from role_grant g where g.person_id = p.id and g.role = 'account_admin')
      order by p.id for update`.execute(db);
    // Read again under the locks: a row that was waited for is as its last writer left it, its grants are not.
    const { rows: left } = await sql<{ id: string }>`
      select g.person_id as id from role_grant g where g.account_id = ${accountId} and g.role = 'account_admin'
        and g.person_id = any (${rows.map(({ id }) => id)}::uuid[])`.execute(db);
    return left.some(({ id }) => id !== personId);
  },
};
