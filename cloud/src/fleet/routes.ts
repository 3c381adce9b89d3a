import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Equipment, Gateway, ListQuery, Page, Uuid } from '@parkline/contract';
import Type from 'typebox';
import { actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { pageOf } from '../platform/pages.ts';
import { equipmentView, gatewayView } from './domain.ts';
import { equipment, gateways } from './repository.ts';

const EquipmentQuery = Type.Object({
  building: Type.Optional(Uuid),
  after: Type.Optional(Uuid),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});

/** Gateways and the devices behind them. */
export const fleetRoutes =
  ({ db, now }: { readonly db: Db; readonly now: Now }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/gateways',
      {
        schema: {
          summary: 'List the gateways with their health',
          tags: ['Gateways'],
          querystring: ListQuery,
          response: { 200: Page(Gateway) },
        },
        config: { permission: 'gateway.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const rows = await withActor(db, actor, (trx) => gateways.list(trx, actor.accountId));
        const { items, next } = pageOf(rows, request.query, ({ id }) => id);
        return { items: items.map((row) => gatewayView(row, now(), request.language)), next };
      },
    );

    app.get(
      '/api/equipment',
      {
        schema: {
          summary: 'List the equipment with what it does at the moment',
          querystring: EquipmentQuery,
          response: { 200: Page(Equipment) },
        },
        config: { permission: 'equipment.read', display: true },
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit, ...query } = request.query;
        // One more than asked for tells whether there is a next page.
        const page = { ...query, limit: limit + 1 };
        const rows = await withActor(db, actor, (trx) => equipment.page(trx, actor.accountId, page));
        const items = rows.slice(0, limit).map((row) => equipmentView(row, now(), request.language));
        return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
      },
    );
  };
