import { type Static, Type } from 'typebox';
import { Instant, LocalDate, LocalName, Nullable, Uuid } from './common.ts';
import { Key } from './imports.ts';

/** The tree an engineer walks: site > building > floor. Names come in the reader's language (Accept-Language). */
export const PlaceTree = Type.Object({
  sites: Type.Array(
    Type.Object({
      id: Uuid,
      name: Type.String(),
      /** IANA zone; every local day and month of the site is cut by it. */
      timezone: Type.String(),
      currency: Type.String(),
      buildings: Type.Array(
        Type.Object({
          id: Uuid,
          name: Type.String(),
          floors: Type.Array(
            Type.Object({ id: Uuid, name: Type.String(), /** 0 = ground floor. */ level: Type.Integer() }),
          ),
        }),
      ),
    }),
  ),
});
export type PlaceTree = Static<typeof PlaceTree>;

/** unit, workstation, parking, storage: can be leased. common: corridors, lobbies. plant: rooms of machines. */
export const spaceKinds = ['unit', 'workstation', 'common', 'plant', 'parking', 'storage'] as const;
export const SpaceKind = Type.Enum(spaceKinds);
export type SpaceKind = (typeof spaceKinds)[number];

/** intent: somebody wants it. fit_out: it is being worked on. locked: nobody moves in or out. */
export const spaceStates = ['vacant', 'intent', 'leased', 'fit_out', 'locked'] as const;
export const SpaceState = Type.Enum(spaceStates);
export type SpaceState = (typeof spaceStates)[number];

/** A room or suite on a floor. */
export const Space = Type.Object({
  id: Uuid,
  name: Type.String(),
  kind: SpaceKind,
  state: SpaceState,
  /** Rentable area of today. */
  areaM2: Type.Number(),
  buildingId: Uuid,
  floorId: Uuid,
  /** Who holds it today by a lease; null: nobody. */
  tenantId: Nullable(Uuid),
  tenantName: Nullable(Type.String()),
  /** The day after the last one of the lease; null: no end is agreed, or nobody holds it. */
  leaseEnd: Nullable(LocalDate),
});
export type Space = Static<typeof Space>;

export const SpaceQuery = Type.Object({
  building: Type.Optional(Uuid),
  after: Type.Optional(Uuid),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});

/** Whoever edits sees both languages; pages show the reader's. */
const named = { key: Key, name: LocalName };
const record = { id: Uuid, version: Type.Integer() };

export const SiteBody = Type.Object({
  ...named,
  /** IANA zone. */
  timezone: Type.String({ minLength: 1, maxLength: 60 }),
  /** ISO 4217. */
  currency: Type.String({ pattern: '^[A-Z]{3}$' }),
});
export type SiteBody = Static<typeof SiteBody>;
export const Site = Type.Object({ ...record, ...SiteBody.properties });
export type Site = Static<typeof Site>;

export const BuildingBody = Type.Object({
  ...named,
  siteId: Uuid,
  /** Place in lists. */
  ord: Type.Integer({ minimum: 0, maximum: 10_000 }),
});
export type BuildingBody = Static<typeof BuildingBody>;
export const Building = Type.Object({ ...record, ...BuildingBody.properties });
export type Building = Static<typeof Building>;

export const FloorBody = Type.Object({
  ...named,
  buildingId: Uuid,
  /** 0 = ground floor. */
  level: Type.Integer({ minimum: -20, maximum: 200 }),
});
export type FloorBody = Static<typeof FloorBody>;
export const Floor = Type.Object({ ...record, ...FloorBody.properties });
export type Floor = Static<typeof Floor>;

/** Square metres, to the hundredth. */
const Area = Type.Number({ exclusiveMinimum: 0, maximum: 10_000_000 });
export const SpaceBody = Type.Object({
  ...named,
  kind: SpaceKind,
  floorId: Uuid,
  areaM2: Area,
  /** First day of that area; left out: today for another area than before, since ever for a new space. */
  areaFrom: Type.Optional(LocalDate),
});
export type SpaceBody = Static<typeof SpaceBody>;

/** A space as it is edited. */
export const SpaceRecord = Type.Object({
  ...record,
  ...named,
  kind: SpaceKind,
  floorId: Uuid,
  buildingId: Uuid,
  state: SpaceState,
  /** Of today. */
  areaM2: Type.Number(),
  /** Oldest first. `from` null: since ever. */
  areas: Type.Array(Type.Object({ from: Nullable(LocalDate), areaM2: Type.Number() })),
});
export type SpaceRecord = Static<typeof SpaceRecord>;

export const SpaceStateBody = Type.Object({
  state: SpaceState,
  why: Type.String({ minLength: 1, maxLength: 500 }),
});
export type SpaceStateBody = Static<typeof SpaceStateBody>;

/** Who changed the state of a space, when and why. */
export const SpaceStateChange = Type.Object({
  at: Instant,
  from: SpaceState,
  state: SpaceState,
  /** Null: it followed a lease. */
  personName: Nullable(Type.String()),
  why: Type.String(),
});
export type SpaceStateChange = Static<typeof SpaceStateChange>;

export const BuildingQuery = Type.Object({ site: Type.Optional(Uuid), ...page() });
export const FloorQuery = Type.Object({ building: Type.Optional(Uuid), ...page() });
export const SiteQuery = Type.Object(page());

function page() {
  return {
    after: Type.Optional(Uuid),
    limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  };
}
