import './tables.ts';
import type { SpaceKind } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';

/** The places of a park file, and nothing else of it. */
export interface PlacePlan {
  readonly site: {
    readonly key: string;
    readonly name: LocalText;
    readonly timezone: string;
    readonly currency: string;
  };
  readonly buildings: readonly {
    readonly key: string;
    readonly name: LocalText;
    readonly floors: readonly {
      readonly key: string;
      readonly name: LocalText;
      readonly level: number;
      readonly spaces?:
        | readonly {
            readonly key: string;
            readonly name: LocalText;
            readonly kind: SpaceKind;
            readonly areaM2: number;
          }[]
        | undefined;
    }[];
  }[];
}

/** Ids by key. */
export interface SeededPlaces {
  readonly buildings: ReadonlyMap<string, string>;
  readonly floors: ReadonlyMap<string, string>;
  readonly spaces: ReadonlyMap<string, string>;
}

/** Makes the places that are missing and brings the others up to the plan; what is not in the plan stays. A second run changes nothing. */
export async function seedPlaces(
  db: Db,
  accountId: string,
  plan: PlacePlan,
  newId: NewId,
): Promise<SeededPlaces> {
  await db
    .insertInto('site')
    .values({ id: newId(), accountId, ...plan.site })
    .onConflict((c) =>
      c
        .columns(['accountId', 'key'])
        .doUpdateSet((eb) => ({
          name: eb.ref('excluded.name'),
          timezone: eb.ref('excluded.timezone'),
          currency: eb.ref('excluded.currency'),
          version: sql<number>`site.version + 1`,
        }))
        .where(
          sql<boolean>`(site.name, site.timezone, site.currency) is distinct from (excluded.name, excluded.timezone, excluded.currency)`,
        ),
    )
    .execute();
  const site = await db
    .selectFrom('site')
    .select('id')
    .where('accountId', '=', accountId)
    .where('key', '=', plan.site.key)
    .executeTakeFirstOrThrow();
  const buildings = await seedBuildings(db, accountId, site.id, plan, newId);
  const floors = await seedFloors(db, accountId, buildings, plan, newId);
  const spaces = await seedSpaces(db, accountId, { buildings, floors }, plan, newId);
  return { buildings, floors, spaces };
}

async function seedBuildings(
  db: Db,
  accountId: string,
  siteId: string,
  plan: PlacePlan,
  newId: NewId,
): Promise<ReadonlyMap<string, string>> {
  const rows = plan.buildings.map(({ key, name }, ord) => ({
    id: newId(),
    accountId,
    siteId,
    key,
    name,
    ord,
  }));
  await db
    .insertInto('building')
    .values(rows)
    .onConflict((c) =>
      c
        .columns(['accountId', 'key'])
        .doUpdateSet((eb) => ({
          name: eb.ref('excluded.name'),
          ord: eb.ref('excluded.ord'),
          version: sql<number>`building.version + 1`,
        }))
        .where(sql<boolean>`(building.name, building.ord) is distinct from (excluded.name, excluded.ord)`),
    )
    .execute();
  const found = await db
    .selectFrom('building')
    .select(['key', 'id'])
    .where('accountId', '=', accountId)
    .execute();
  return new Map(found.map(({ key, id }) => [key, id]));
}

async function seedFloors(
  db: Db,
  accountId: string,
  buildings: ReadonlyMap<string, string>,
  plan: PlacePlan,
  newId: NewId,
): Promise<ReadonlyMap<string, string>> {
  const rows = plan.buildings.flatMap((building) =>
    building.floors.map((floor) => ({
      id: newId(),
      accountId,
      buildingId: buildings.get(building.key) ?? '',
      ...{ key: floor.key, name: floor.name, level: floor.level },
    })),
  );
  if (rows.length > 0)
    await db
      .insertInto('floor')
      .values(rows)
      .onConflict((c) =>
        c
          .columns(['accountId', 'key'])
          .doUpdateSet((eb) => ({
            name: eb.ref('excluded.name'),
            level: eb.ref('excluded.level'),
            version: sql<number>`floor.version + 1`,
          }))
          .where(sql<boolean>`(floor.name, floor.level) is distinct from (excluded.name, excluded.level)`),
      )
      .execute();
  const found = await db
    .selectFrom('floor')
    .select(['key', 'id'])
    .where('accountId', '=', accountId)
    .execute();
  return new Map(found.map(({ key, id }) => [key, id]));
}

async function seedSpaces(
  db: Db,
  accountId: string,
  { buildings, floors }: Omit<SeededPlaces, 'spaces'>,
  plan: PlacePlan,
  newId: NewId,
): Promise<ReadonlyMap<string, string>> {
  const planned = plan.buildings.flatMap((building) =>
    building.floors.flatMap((floor) => (floor.spaces ?? []).map((space) => ({ building, floor, ...space }))),
  );
  const rows = planned.map(({ building, floor, key, name, kind }) => ({
    ...{ id: newId(), accountId, key, name, kind },
    buildingId: buildings.get(building.key) ?? '',
    floorId: floors.get(floor.key) ?? '',
  }));
  if (rows.length > 0)
    await db
      .insertInto('space')
      .values(rows)
      .onConflict((c) =>
        c
          .columns(['accountId', 'key'])
          .doUpdateSet((eb) => ({
            buildingId: eb.ref('excluded.buildingId'),
            floorId: eb.ref('excluded.floorId'),
            name: eb.ref('excluded.name'),
            kind: eb.ref('excluded.kind'),
            version: sql<number>`space.version + 1`,
          }))
          .where(
            sql<boolean>`(space.building_id, space.floor_id, space.name, space.kind) is distinct from
              (excluded.building_id, excluded.floor_id, excluded.name, excluded.kind)`,
          ),
      )
      .execute();
  const found = await db
    .selectFrom('space')
    .select(['key', 'id'])
    .where('accountId', '=', accountId)
    .execute();
  const ids = new Map(found.map(({ key, id }) => [key, id]));
  await seedAreas(
    db,
    accountId,
    planned.map(({ key, areaM2 }) => ({ spaceId: ids.get(key) ?? '', areaM2 })),
  );
  return ids;
}

/** The plan knows one area of a space and no day: it is the newest, and one that somebody set from a day on is corrected there. */
async function seedAreas(
  db: Db,
  accountId: string,
  planned: readonly { readonly spaceId: string; readonly areaM2: number }[],
): Promise<void> {
  await sql`
    with planned as (
      select p.space_id, p.area::numeric(12, 2) as area, coalesce(
        (select max(a.from_date) from space_area a where a.space_id = p.space_id), '-infinity') as from_date
      from unnest(${planned.map(({ spaceId }) => spaceId)}::uuid[], ${planned.map(({ areaM2 }) => String(areaM2))}::text[])
        as p (space_id, area)
    ), written as (
      insert into space_area as a (account_id, space_id, from_date, area_m2)
      select ${accountId}, space_id, from_date, area from planned
      on conflict (space_id, from_date) do update set area_m2 = excluded.area_m2
        where a.area_m2 <> excluded.area_m2
      returning space_id, xmax::text <> '0' as was_there
    )
    update space s set version = version + 1 from written w where w.was_there and s.id = w.space_id`.execute(
    db,
  );
}
