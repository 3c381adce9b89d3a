import { type Static, Type } from 'typebox';
import { Uuid } from './common.ts';

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
