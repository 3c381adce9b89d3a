import './tables.ts';
import type { Commodity } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import { parseDecimal } from './decimal.ts';
import { type CountedSpan, type Held, toUse, type Use } from './use.ts';

/** A usage point of a tenant on the days that the tenant held its space. */
export interface HeldUsagePoint {
  readonly id: string;
  readonly name: LocalText;
  readonly commodity: Commodity;
  readonly unit: string;
  readonly spaceId: string;
  readonly spaceName: LocalText;
  /** 'YYYY-MM-DD' on the site's calendar. */
  readonly from: string;
  /** Exclusive; null while a lease has no end. */
  readonly to: string | null;
  readonly timezone: string;
  readonly currency: string;
}

/** What a tenant asks of its usage points. Call within `withActor`: the policies answer for no other tenant. */
export const tenantUsage = {
  /** In the order of their ids; `after` is the id that the last page ended with. */
  async list(
    db: Db,
    accountId: string,
    tenantId: string,
    { after, limit, id }: { after?: string | undefined; limit?: number; id?: string } = {},
  ): Promise<HeldUsagePoint[]> {
    const { rows } = await sql<HeldUsagePoint>`
      select u.id, u.name, u.commodity, u.unit, u.space_id, p.name as space_name, s.timezone, s.currency,
        min(l.from_date)::text as from,
        case when bool_or(l.to_date is null) then null else max(l.to_date)::text end as to
      from usage_point u
      join space p on p.account_id = u.account_id and p.id = u.space_id
      join building b on b.account_id = p.account_id and b.id = p.building_id
      join site s on s.account_id = b.account_id and s.id = b.site_id
      join lease_space l on l.account_id = u.account_id and l.space_id = u.space_id
      where u.account_id = ${accountId} and l.tenant_id = ${tenantId}
        ${id === undefined ? sql`` : sql`and u.id = ${id}`} ${after === undefined ? sql`` : sql`and u.id > ${after}`}
      group by u.id, p.id, s.id order by u.id limit ${limit ?? null}`.execute(db);
    return rows;
  },

  /** Use of one usage point in [from, to), as far as the tenant of the transaction held it and it has happened. */
  async read(db: Db, id: string, { from, to, now }: { from: Date; to: Date; now: Date }): Promise<TenantUse> {
    const span = sql`${id}, ${from}, ${to}, ${now}`;
    const held = await sql<{ heldFrom: Date; heldTo: Date }>`select * from tenant_held(${span})`.execute(db);
    const used = await sql<UseRow>`select * from tenant_use(${span})`.execute(db);
    return {
      held: held.rows.map(({ heldFrom, heldTo }) => ({ from: heldFrom.getTime(), to: heldTo.getTime() })),
      use: toUse(used.rows.map(toCounted)),
    };
  },
};

export interface TenantUse {
  readonly held: readonly Held[];
  readonly use: Use;
}

interface UseRow {
  readonly begins: Date;
  readonly ends: Date;
  readonly counts: number;
  readonly resolution: number;
  /** numeric */
  readonly multiplier: string;
  readonly rolledOver: boolean;
}

/** The resolution is a decimal in the template; its shortest spelling as a double is that decimal again. */
const toCounted = ({ begins, ends, counts, rolledOver, resolution, multiplier }: UseRow): CountedSpan => ({
  begins: begins.getTime(),
  ends: ends.getTime(),
  counts,
  rolledOver,
  resolution: parseDecimal(String(resolution))!,
  multiplier: parseDecimal(multiplier)!,
});
