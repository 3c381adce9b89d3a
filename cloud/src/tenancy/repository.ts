import './tables.ts';
import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { LeaseRow, SpaceRow, TenantRow } from './domain.ts';

/** In order of creation; `after` is the id that the last page ended with. */
interface PageOf {
  readonly after?: string | undefined;
  readonly limit: number;
}

/** The day that `at` is on, on the calendar of the space's site. */
const today = (at: Date): RawBuilder<unknown> =>
  sql`(select (${at}::timestamptz at time zone site.timezone)::date
    from building join site on site.id = building.site_id where building.id = s.building_id)`;

/** A lease that runs today on space `s`; of several tables joined so, none doubles a space: no space is leased twice. */
const runsToday = (at: Date): RawBuilder<unknown> =>
  sql`ls.space_id = s.id and ls.account_id = s.account_id
    and ls.from_date <= ${today(at)} and (ls.to_date is null or ls.to_date > ${today(at)})`;

const paged = (column: RawBuilder<unknown>, { after, limit }: PageOf): RawBuilder<unknown> =>
  sql`${after === undefined ? sql`` : sql`and ${column} > ${after}`} order by ${column} limit ${limit}`;

export const spaces = {
  async page(
    db: Db,
    accountId: string,
    at: Date,
    { building, ...page }: PageOf & { readonly building?: string | undefined },
  ): Promise<SpaceRow[]> {
    const { rows } = await sql<SpaceRow>`
      select s.id, s.name, s.kind, s.state, space_area_on(s.id, ${today(at)})::float8 as "areaM2",
        s.building_id, s.floor_id, t.id as tenant_id, t.name as tenant_name, ls.to_date::text as lease_end
      from space s
      left join lease_space ls on ${runsToday(at)}
      left join tenant t on t.id = ls.tenant_id
      where s.account_id = ${accountId} ${building === undefined ? sql`` : sql`and s.building_id = ${building}`}
      ${paged(sql`s.id`, page)}`.execute(db);
    return rows;
  },
};

export const tenants = {
  async page(db: Db, accountId: string, at: Date, page: PageOf): Promise<TenantRow[]> {
    const { rows } = await sql<TenantRow>`
      select t.id, t.name, held.area as "areaM2", held.leases
      from tenant t cross join lateral (
        select coalesce(sum(space_area_on(s.id, ${today(at)})), 0)::float8 as area, count(distinct ls.lease_id)::int as leases
        from lease_space ls join space s on ${runsToday(at)}
        where ls.tenant_id = t.id and ls.account_id = t.account_id
      ) held
      where t.account_id = ${accountId} ${paged(sql`t.id`, page)}`.execute(db);
    return rows;
  },

  /** Undefined when the account has no such tenant, or whoever asks may not know it. */
  async nameOf(db: Db, accountId: string, id: string): Promise<LocalText | undefined> {
    const row = await db
      .selectFrom('tenant')
      .select('name')
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst();
    return row?.name;
  },

  /** The id of a tenant by its key in the park file. */
  async byKey(db: Db, accountId: string, key: string): Promise<string | undefined> {
    const row = await db
      .selectFrom('tenant')
      .select('id')
      .where('accountId', '=', accountId)
      .where('key', '=', key)
      .executeTakeFirst();
    return row?.id;
  },
};

export const leases = {
  async page(
    db: Db,
    accountId: string,
    at: Date,
    { tenant, ...page }: PageOf & { readonly tenant?: string | undefined },
  ): Promise<LeaseRow[]> {
    const { rows } = await sql<LeaseRow>`
      select l.id, l.key, l.tenant_id, t.name as tenant_name, l.from_date::text as "from", l.to_date::text as "to", l.headcount,
        l.moved_in_on::text as moved_in, l.moved_out_on::text as moved_out,
        (select coalesce(jsonb_agg(jsonb_build_object(
           'id', s.id, 'name', s.name, 'areaM2', space_area_on(s.id, ${today(at)})) order by s.id), '[]')
         from lease_space ls join space s on s.id = ls.space_id where ls.lease_id = l.id) as spaces
      from lease l join tenant t on t.id = l.tenant_id
      where l.account_id = ${accountId} ${tenant === undefined ? sql`` : sql`and l.tenant_id = ${tenant}`}
      ${paged(sql`l.id`, page)}`.execute(db);
    return rows;
  },
};
