import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { PlaceTree } from '@parkline/contract';
import { actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { placeTree } from './domain.ts';
import { places } from './repository.ts';

/** The tree that every page starts from. */
export const placeRoutes =
  ({ db }: { readonly db: Db }): FastifyPluginAsyncTypebox =>
  async (app) => {
    const schema = { response: { 200: PlaceTree } };
    app.get(
      '/api/places',
      {
        schema: { summary: 'Get sites, buildings, floors and zones as a tree', ...schema },
        config: { permission: 'place.read', display: true },
      },
      async (request) => {
        const actor = actorOf(request);
        const rows = await withActor(db, actor, (trx) => places.all(trx, actor.accountId));
        return placeTree(rows, request.language);
      },
    );
  };
