import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { GatewayMapping, GatewayMappingParams, IdParams, type Language, Page } from '@parkline/contract';
import type { Selectable } from 'kysely';
import { actorOf } from '../platform/access.ts';
import { type Db, type Tables, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { inLanguage } from '../platform/i18n.ts';
import { found, type GatewayDeps, noted } from './gateway-routes.ts';
import { mappingChanges, takeOver } from './mapping.ts';

type Row = Selectable<Tables['gatewayMapping']>;

const rowsOf = (db: Db, accountId: string, gatewayId: string) =>
  db
    .selectFrom('gatewayMapping')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('gatewayId', '=', gatewayId)
    .orderBy('id', 'desc');

async function view(
  trx: Db,
  { id, accountId, gatewayId, park, receivedAt, state }: Row,
  language: Language,
): Promise<GatewayMapping> {
  const changes = await mappingChanges(trx, accountId, gatewayId, park);
  return {
    ...{ id, receivedAt: receivedAt.toISOString(), state },
    changes: changes.map((change) => ({ ...change, why: inLanguage(change.why, language) })),
  };
}

/** What was mapped on gateways before the cloud knew: looked at, then taken over or not. */
export function mappingRoutes({ db, now, newId }: GatewayDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/gateways/:id/mappings',
      {
        schema: {
          summary: 'List what was mapped on a gateway',
          params: IdParams,
          response: { 200: Page(GatewayMapping) },
        },
        config: { permission: 'gateway.read' },
      },
      async (request) => {
        const { accountId } = actorOf(request);
        const { id } = request.params;
        return withActor(db, actorOf(request), async (trx) => {
          await found(trx, accountId, id);
          const rows = await rowsOf(trx, accountId, id).limit(20).execute();
          const items: GatewayMapping[] = [];
          for (const row of rows) items.push(await view(trx, row, request.language));
          return { items, next: null };
        });
      },
    );

    for (const [verb, summary] of [
      ['accept', 'Take over what was mapped on a gateway'],
      ['reject', 'Leave what was mapped on a gateway'],
    ] as const)
      app.post(
        `/api/gateways/:id/mappings/:mappingId/${verb}`,
        {
          schema: { summary, params: GatewayMappingParams, response: { 200: GatewayMapping } },
          config: { permission: 'equipment.write', fresh: true },
        },
        async (request) => {
          const { accountId, personId } = actorOf(request);
          const { id, mappingId } = request.params;
          return withActor(db, actorOf(request), async (trx) => {
            const { buildingId } = await found(trx, accountId, id);
            const row = await rowsOf(trx, accountId, id)
              .where('id', '=', mappingId)
              .forUpdate()
              .executeTakeFirst();
            if (!row) throw new AppError('not_found', 'no such mapping', { details: { id: mappingId } });
            if (row.state !== 'offered')
              throw new AppError('conflict', `it is ${row.state}`, { details: { why: row.state } });
            const at = now();
            const order = { accountId, gatewayId: id, buildingId, park: row.park, at, newId };
            const points = verb === 'accept' ? await takeOver(trx, order) : 0;
            const state = verb === 'accept' ? ('accepted' as const) : ('rejected' as const);
            await trx
              .updateTable('gatewayMapping')
              .set({ state, decidedAt: at, decidedBy: personId })
              .where('accountId', '=', accountId)
              .where('id', '=', mappingId)
              .execute();
            await noted(trx, request, at, id, `gateway.mapping_${state}`, { details: { mappingId, points } });
            return view(trx, { ...row, state }, request.language);
          });
        },
      );
  };
}
