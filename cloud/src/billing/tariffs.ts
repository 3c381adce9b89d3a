import './tables.ts';
import type { Commodity } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';
import { parseJson } from './json.ts';
import { type DatedPlan, readPlan } from './price-list.ts';

/** A tariff of a site with all its versions, the earliest first. */
export interface StoredTariff {
  readonly name: LocalText;
  readonly plans: readonly DatedPlan[];
}

/** A tariff to store: `body` is the text of `{holidays, adjusted_workdays?, tariff}`. */
export interface NewTariff {
  readonly siteId: string;
  readonly key: string;
  readonly name: LocalText;
  readonly commodity: Commodity;
  /** YYYY-MM-DD on the site's calendar. */
  readonly from: string;
  readonly body: string;
}

export const tariffs = {
  /** The tariff of a commodity where a usage point stands; undefined where there is none. */
  async ofUsagePoint(
    db: Db,
    accountId: string,
    usagePointId: string,
    timezone: string,
  ): Promise<StoredTariff | undefined> {
    const { rows } = await sql<{ name: LocalText; from: string; body: string }>`
      select t.name, v.from_date::text as from, v.body::text as body
      from usage_point u
      join space p on p.account_id = u.account_id and p.id = u.space_id
      join building b on b.account_id = p.account_id and b.id = p.building_id
      join tariff t on t.account_id = b.account_id and t.site_id = b.site_id and t.commodity = u.commodity
      join tariff_version v on v.account_id = t.account_id and v.tariff_id = t.id
      where u.account_id = ${accountId} and u.id = ${usagePointId}
      order by v.from_date`.execute(db);
    const first = rows[0];
    if (!first) return undefined;
    const plans = rows.map(({ from, body }): DatedPlan => {
      const read = readPlan(parseJson(body), timezone);
      if (!read.ok) throw new Error(`stored tariff from ${from}: ${read.faults[0]?.message ?? ''}`);
      return { from, ...read.value };
    });
    return { name: first.name, plans };
  },

  /**
   * Stores a tariff, or a further version of one. A second time changes nothing but its name.
   * @returns 'known' when that version was there already, 'other' when another one is there from that day on.
   */
  async add(
    db: Db,
    accountId: string,
    { siteId, key, name, commodity, from, body }: NewTariff,
    newId: NewId,
  ): Promise<'added' | 'known' | 'other'> {
    const { rows } = await sql<{ id: string }>`
      insert into tariff (id, account_id, site_id, key, name, commodity)
      values (${newId()}, ${accountId}, ${siteId}, ${key}, ${JSON.stringify(name)}::jsonb, ${commodity})
      on conflict (account_id, key) do update set name = excluded.name returning id`.execute(db);
    const tariffId = rows[0]!.id;
    const inserted = await sql`
      insert into tariff_version (id, account_id, tariff_id, from_date, body)
      values (${newId()}, ${accountId}, ${tariffId}, ${from}, ${body})
      on conflict (account_id, tariff_id, from_date) do nothing returning id`.execute(db);
    if (inserted.rows.length > 0) return 'added';
    const same = await sql<{ same: boolean }>`
      select body::text = ${body} as same from tariff_version
      where account_id = ${accountId} and tariff_id = ${tariffId} and from_date = ${from}`.execute(db);
    return same.rows[0]?.same ? 'known' : 'other';
  },
};
