import './tables.ts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  Building,
  BuildingQuery,
  Floor,
  FloorQuery,
  IdParams,
  LocalDate,
  Page,
  Site,
  SiteQuery,
  SpaceRecord,
  SpaceStateChange,
  Uuid,
} from '@parkline/contract';
import Type from 'typebox';
import { actorOf } from '../platform/access.ts';
import { withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { etag, ifMatch } from '../platform/versions.ts';
import { changeRecord, type RecordDeps, recordRoutes } from '../records/index.ts';
import { buildingRecord, floorRecord, siteRecord } from './place-records.ts';
import { spaceHistory, spaceRecord } from './space-record.ts';

/** Sites, buildings, floors and spaces one by one, as who keeps them edits them: with both names. */
export const placeRecordRoutes =
  (deps: RecordDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(recordRoutes(deps, siteRecord));
    await app.register(recordRoutes(deps, buildingRecord));
    await app.register(recordRoutes(deps, floorRecord));
    await app.register(recordRoutes(deps, spaceRecord));
    await app.register(placeLists(deps));
    await app.register(spaceParts(deps));
  };

/** One more was asked for than the page holds: it tells whether there is a next page. */
function pageOf<T extends { readonly id: string }>(found: readonly T[], limit: number) {
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}

const placeLists =
  ({ db }: RecordDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { permission: 'place.read' } as const;
    app.get(
      '/api/sites',
      {
        schema: { summary: 'List the sites', querystring: SiteQuery, response: { 200: Page(Site) } },
        config,
      },
      async (request) => {
        const actor = actorOf(request);
        const { after, limit } = request.query;
        const found = await withActor(db, actor, (trx) => {
          const query = trx
            .selectFrom('site')
            .select(['id', 'key', 'name', 'timezone', 'currency', 'version'])
            .where('accountId', '=', actor.accountId);
          return (after === undefined ? query : query.where('id', '>', after))
            .orderBy('id')
            .limit(limit + 1)
            .execute();
        });
        return pageOf(found, limit);
      },
    );

    app.get(
      '/api/buildings',
      {
        schema: {
          summary: 'List the buildings',
          querystring: BuildingQuery,
          response: { 200: Page(Building) },
        },
        config,
      },
      async (request) => {
        const actor = actorOf(request);
        const { after, limit, site } = request.query;
        const found = await withActor(db, actor, (trx) => {
          let query = trx
            .selectFrom('building')
            .select(['id', 'key', 'name', 'siteId', 'ord', 'version'])
            .where('accountId', '=', actor.accountId);
          if (site !== undefined) query = query.where('siteId', '=', site);
          if (after !== undefined) query = query.where('id', '>', after);
          return query
            .orderBy('id')
            .limit(limit + 1)
            .execute();
        });
        return pageOf(found, limit);
      },
    );

    app.get(
      '/api/floors',
      {
        schema: { summary: 'List the floors', querystring: FloorQuery, response: { 200: Page(Floor) } },
        config,
      },
      async (request) => {
        const actor = actorOf(request);
        const { after, limit, building } = request.query;
        const found = await withActor(db, actor, (trx) => {
          let query = trx
            .selectFrom('floor')
            .select(['id', 'key', 'name', 'buildingId', 'level', 'version'])
            .where('accountId', '=', actor.accountId);
          if (building !== undefined) query = query.where('buildingId', '=', building);
          if (after !== undefined) query = query.where('id', '>', after);
          return query
            .orderBy('id')
            .limit(limit + 1)
            .execute();
        });
        return pageOf(found, limit);
      },
    );
  };

const AreaParams = Type.Object({
  id: Uuid,
  from: Type.Unsafe<string>({ ...LocalDate, description: 'First day of the area, which goes.' }),
});

/** What belongs to one space: how its state came about, and its areas of other days. */
const spaceParts =
  ({ db, now, newId }: RecordDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/spaces/:id/history',
      {
        schema: {
          summary: 'List the states of a space, newest first',
          params: IdParams,
          response: { 200: Page(SpaceStateChange) },
        },
        config: { permission: 'place.write' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const items = await withActor(db, actor, async (trx) => {
          if (await spaceRecord.find(trx, actor.accountId, id, now()))
            return spaceHistory.of(trx, actor.accountId, id);
          throw new AppError('not_found', 'no such space', { details: { id } });
        });
        return { items, next: null };
      },
    );

    app.delete(
      '/api/spaces/:id/areas/:from',
      {
        schema: {
          summary: 'Take back a change of a space’s area',
          params: AreaParams,
          response: { 200: SpaceRecord },
        },
        config: { permission: 'place.write' },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id, from } = request.params;
        const version = ifMatch(request);
        const editor = { accountId, personId, at: now(), newId, ip: request.ip };
        const space = await withActor(db, actor, (trx) =>
          changeRecord(trx, spaceRecord, editor, {
            ...{ id, version },
            async change() {
              if (await spaceHistory.dropArea(trx, accountId, id, from)) return;
              const details = { why: 'no_such_area', from };
              throw new AppError('conflict', 'no area of that day that may go', { details });
            },
          }),
        );
        etag(reply, space.version);
        return space;
      },
    );
  };
