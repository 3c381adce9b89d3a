import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { PlaceTree } from '@parkline/contract';
import { actorOf } from '../platform/access.ts';
import { type Db, withAccount } from '../platform/db.ts';
import { placeTree } from './domain.ts';
import { places } from './repository.ts';

/** The tree that every page starts from. */
export const placeRoutes =
  ({ db }: { readonly db: Db }): FastifyPluginAsyncTypebox =>
  async (app) => {
    const schema = { response: { 200: PlaceTree } };
    app.get('/api/places', { schema, config: { permission: 'place.read' } }, async (request) => {
      const { accountId } = actorOf(request);
      const rows = await withAccount(db, accountId, (trx) => places.all(trx, accountId));
      return placeTree(rows, request.language);
    });
  };
