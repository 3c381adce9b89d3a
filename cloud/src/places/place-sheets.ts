/* eslint-disable @typescript-eslint/consistent-type-definitions -- values of a kind are JSON by their index, which an interface has not */
import './tables.ts';
import { sql } from 'kysely';
import {
  type Cells,
  type Fault,
  keptOr,
  type Prepared,
  type RowFault,
  type Scope,
  type SheetKind,
  type Stored,
  unknownKey,
  type Wanted,
} from '../imports/index.ts';
import type { Db } from '../platform/db.ts';
import { holdersOf } from '../records/index.ts';
import { isZone } from './place-records.ts';
import { keyColumn, nameColumns, nameOf, namesOf, refColumn } from './sheet-columns.ts';

const permissions = { reads: 'place.read', writes: 'place.write' } as const;
const words = {
  site: { en: 'site', zh: '园区' },
  building: { en: 'building', zh: '楼宇' },
} as const;

type Named = { readonly key: string; readonly name_en: string; readonly name_zh: string };

/** Rows of a table by key, with both names apart. */
const byKey = <V extends Named>(
  rows: readonly (Omit<V, 'name_en' | 'name_zh'> & RowOf)[],
): Map<string, Stored<V>> =>
  new Map(
    rows.map(({ id, version, name, ...rest }) => [
      rest.key,
      { id, version, values: { ...rest, name_en: name.en, name_zh: name.zh } as unknown as V },
    ]),
  );
interface RowOf {
  readonly id: string;
  readonly version: number;
  readonly key: string;
  readonly name: { readonly en: string; readonly zh: string };
}

const lockOf = (locks: boolean) => (locks ? sql`for no key update of r` : sql``);

/** Takes rows away that nothing refers to. */
async function removeAll(
  trx: Db,
  table: string,
  accountId: string,
  things: readonly Stored[],
): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const { id, values } of things) {
    const held = await holdersOf(trx, table, accountId, id);
    if (held.length > 0)
      faults.push({
        field: String(values['key']),
        text: {
          en: `"${String(values['key'])}" is still used: ${held.map(({ name, count }) => `${count} × ${name.en}`).join(', ')}.`,
          zh: `“${String(values['key'])}”仍被使用：${held.map(({ name, count }) => `${count} 个${name.zh}`).join('、')}。`,
        },
      });
    else
      await sql`delete from ${sql.table(table)} where account_id = ${accountId} and id = ${id}`.execute(trx);
  }
  return faults;
}
export { byKey, lockOf, removeAll };

type SiteValues = Named & { readonly timezone: string; readonly currency: string };

export const siteSheet: SheetKind<SiteValues> = {
  ...{ name: 'sites', noun: 'site', title: { en: 'Sites', zh: '园区' }, ...permissions },
  columns: [
    keyColumn('park-1'),
    ...nameColumns('Riverside Park', '滨江园区'),
    { name: 'timezone', zh: '时区', type: 'text', required: true, example: 'Asia/Shanghai' },
    { name: 'currency', zh: '币种', type: 'text', required: true, pattern: /^[A-Z]{3}$/, example: 'CNY' },
  ],
  async prepare(trx, { accountId, newId, locks, buildings }) {
    const { rows } = await sql<RowOf & SiteValues>`
      select r.id, r.version, r.key, r.name, r.timezone, r.currency
      from site r where r.account_id = ${accountId} order by r.id ${lockOf(locks)}`.execute(trx);
    return {
      stored: byKey<SiteValues>(rows),
      read(cells, stored) {
        const names = namesOf(cells, stored?.values);
        const timezone = cells['timezone'] as string;
        const faults = [...faultsIn(names), ...(isZone(timezone) ? [] : [noZone(timezone)])];
        if (isFaults(names) || faults.length > 0) return faults;
        return { key: cells['key'] as string, ...names, timezone, currency: cells['currency'] as string };
      },
      check: (wanted) => (buildings ? wanted.map(({ row }) => outOfReach(row)) : []),
      async write(wanted) {
        for (const { values, stored } of wanted) {
          const { key, timezone, currency } = values;
          const row = { key, name: nameOf(values), timezone, currency };
          if (stored) await setRow(trx, 'site', { accountId, id: stored.id }, row);
          else
            await trx
              .insertInto('site')
              .values({ id: newId(), accountId, ...row })
              .execute();
        }
        return [];
      },
      remove: (things) => removeAll(trx, 'site', accountId, things),
    };
  },
};

/** A whole site is changed, and a building begun, by who acts everywhere. */
const outOfReach = (row: number): RowFault => ({
  ...{ row, field: 'key' },
  text: { en: 'This needs a right on the whole account.', zh: '此操作需要整个账户范围的权限。' },
});

export const isFaults = (found: object): found is readonly Fault[] => Array.isArray(found);
/** The faults of what may be right. */
export const faultsIn = (found: object): readonly Fault[] => (isFaults(found) ? found : []);

const noZone = (zone: string): Fault => ({
  field: 'timezone',
  text: { en: `"${zone}" is no IANA zone.`, zh: `“${zone}”不是 IANA 时区。` },
});

/** `version` rises by one. */
async function setRow(
  trx: Db,
  table: 'site' | 'building' | 'floor',
  { accountId, id }: { readonly accountId: string; readonly id: string },
  row: object,
): Promise<void> {
  await trx
    .updateTable(table)
    .set({ ...row, version: sql`version + 1` } as never)
    .where('accountId', '=', accountId)
    .where('id', '=', id)
    .execute();
}

/** Ids of what rows refer to, by key: only what is in sight. */
export async function idsByKey(
  trx: Db,
  table: 'site' | 'building' | 'floor' | 'space' | 'tenant',
  accountId: string,
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ key: string; id: string }>`
    select key, id from ${sql.table(table)} where account_id = ${accountId}`.execute(trx);
  return new Map(rows.map(({ key, id }) => [key, id]));
}

type BuildingValues = Named & { readonly site: string; readonly ord: number };

export const buildingSheet: SheetKind<BuildingValues> = {
  ...{ name: 'buildings', noun: 'building', title: { en: 'Buildings', zh: '楼宇' }, ...permissions },
  columns: [
    keyColumn('b1'),
    refColumn('site', '园区编号', 'park-1'),
    ...nameColumns('Building 1', '1 号楼'),
    { name: 'ord', zh: '排序', type: 'number', decimals: 0, min: 0, max: 10_000, example: '1' },
  ],
  async prepare(trx, scope) {
    const { accountId, newId, locks, buildings } = scope;
    const sites = await idsByKey(trx, 'site', accountId);
    const { rows } = await sql<RowOf & BuildingValues>`
      select r.id, r.version, r.key, r.name, t.key as site, r.ord
      from building r join site t on t.id = r.site_id where r.account_id = ${accountId}
      order by r.ord, r.id ${lockOf(locks)}`.execute(trx);
    return {
      stored: byKey<BuildingValues>(rows),
      read(cells, stored) {
        const names = namesOf(cells, stored?.values);
        const site = cells['site'] as string;
        const faults = [
          ...faultsIn(names),
          ...(sites.has(site) ? [] : [unknownKey('site', words.site, site)]),
        ];
        if (isFaults(names) || faults.length > 0) return faults;
        return {
          key: cells['key'] as string,
          site,
          ...names,
          ord: keptOr(cells['ord'] ?? undefined, stored?.values.ord, 0),
        };
      },
      check: (wanted) =>
        buildings ? wanted.flatMap(({ row, stored }) => (stored ? [] : [outOfReach(row)])) : [],
      async write(wanted) {
        for (const { values, stored } of wanted) {
          const row = {
            key: values.key,
            name: nameOf(values),
            siteId: sites.get(values.site) ?? '',
            ord: values.ord,
          };
          if (stored) await setRow(trx, 'building', { accountId, id: stored.id }, row);
          else
            await trx
              .insertInto('building')
              .values({ id: newId(), accountId, ...row })
              .execute();
        }
        return [];
      },
      remove: (things) => removeAll(trx, 'building', accountId, things),
    };
  },
};

type FloorValues = Named & { readonly building: string; readonly level: number };

export const floorSheet: SheetKind<FloorValues> = {
  ...{ name: 'floors', noun: 'floor', title: { en: 'Floors', zh: '楼层' }, ...permissions },
  columns: [
    keyColumn('b1-f1'),
    refColumn('building', '楼宇编号', 'b1'),
    ...nameColumns('Floor 1', '1 层'),
    {
      name: 'level',
      zh: '层号',
      type: 'number',
      decimals: 0,
      min: -20,
      max: 200,
      required: true,
      example: '0',
    },
  ],
  prepare: prepareFloors,
};

async function prepareFloors(trx: Db, { accountId, newId, locks }: Scope): Promise<Prepared<FloorValues>> {
  const buildings = await idsByKey(trx, 'building', accountId);
  const { rows } = await sql<RowOf & FloorValues>`
    select r.id, r.version, r.key, r.name, b.key as building, r.level
    from floor r join building b on b.id = r.building_id where r.account_id = ${accountId}
    order by b.ord, b.id, r.level, r.id ${lockOf(locks)}`.execute(trx);
  return {
    stored: byKey<FloorValues>(rows),
    read(cells: Cells, stored: Stored<FloorValues> | undefined) {
      const names = namesOf(cells, stored?.values);
      const building = cells['building'] as string;
      const faults = [...faultsIn(names)];
      if (!buildings.has(building)) faults.push(unknownKey('building', words.building, building));
      else if (stored && stored.values.building !== building)
        faults.push({
          field: 'building',
          text: { en: 'A floor stays in its building.', zh: '楼层不能改换楼宇。' },
        });
      if (isFaults(names) || faults.length > 0) return faults;
      return { key: cells['key'] as string, building, ...names, level: cells['level'] as number };
    },
    async write(wanted: readonly Wanted<FloorValues>[]) {
      for (const { values, stored } of wanted) {
        const row = { key: values.key, name: nameOf(values), level: values.level };
        const buildingId = buildings.get(values.building) ?? '';
        if (stored) await setRow(trx, 'floor', { accountId, id: stored.id }, row);
        else
          await trx
            .insertInto('floor')
            .values({ id: newId(), accountId, buildingId, ...row })
            .execute();
      }
      return [];
    },
    remove: (things) => removeAll(trx, 'floor', accountId, things),
  };
}
