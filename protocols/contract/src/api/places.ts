import { type Static, Type } from 'typebox';
import { Nullable, Uuid } from './common.ts';

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

/** unit: can be leased. common: corridors, lobbies. plant: rooms of machines. */
export const spaceKinds = ['unit', 'common', 'plant'] as const;
export const SpaceKind = Type.Enum(spaceKinds);
export type SpaceKind = (typeof spaceKinds)[number];

/** A room or suite on a floor. */
export const Space = Type.Object({
  id: Uuid,
  name: Type.String(),
  kind: SpaceKind,
  areaM2: Type.Number(),
  buildingId: Uuid,
  floorId: Uuid,
  /** Who holds it today by a lease; null: nobody. */
  tenantId: Nullable(Uuid),
  tenantName: Nullable(Type.String()),
});
export type Space = Static<typeof Space>;

export const SpaceQuery = Type.Object({
  building: Type.Optional(Uuid),
  after: Type.Optional(Uuid),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});
