import './tables.ts';
import type { Db } from '../platform/db.ts';
import type { BuildingRow, FloorRow, SiteRow } from './domain.ts';

export const places = {
  /** Every place of the account: sites and buildings in the park's order, floors from the lowest up. */
  async all(
    db: Db,
    accountId: string,
  ): Promise<{ sites: SiteRow[]; buildings: BuildingRow[]; floors: FloorRow[] }> {
    const [sites, buildings, floors] = [
      await db
        .selectFrom('site')
        .select(['id', 'name', 'timezone', 'currency'])
        .where('accountId', '=', accountId)
        .orderBy('id')
        .execute(),
      await db
        .selectFrom('building')
        .select(['id', 'name', 'siteId'])
        .where('accountId', '=', accountId)
        .orderBy('ord')
        .orderBy('id')
        .execute(),
      await db
        .selectFrom('floor')
        .select(['id', 'name', 'buildingId', 'level'])
        .where('accountId', '=', accountId)
        .orderBy('level')
        .orderBy('id')
        .execute(),
    ];
    return { sites, buildings, floors };
  },

  /** IANA zone of the site that a building stands on. */
  async timezoneOf(db: Db, accountId: string, buildingId: string): Promise<string | undefined> {
    const row = await db
      .selectFrom('building')
      .innerJoin('site', 'site.id', 'building.siteId')
      .select('site.timezone')
      .where('building.accountId', '=', accountId)
      .where('building.id', '=', buildingId)
      .executeTakeFirst();
    return row?.timezone;
  },
};
