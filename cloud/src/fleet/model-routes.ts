import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { EquipmentDetail, ModelQuery, Page, PointDetail } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import type { FastifyReply } from 'fastify';
import { type Actor, actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { toTurtle } from './brick-export.ts';
import { equipmentDetail } from './domain.ts';
import { filterOf, type TagFilter } from './filter.ts';
import { toHayson, toZinc } from './haystack-export.ts';
import { loadModel, type Model, pointDetail } from './model.ts';
import { equipment } from './repository.ts';
import type { ThingDeps } from './thing-changes.ts';

type ModelDeps = Pick<ThingDeps, 'db' | 'now'> & { readonly templates: ReadonlyMap<string, Template> };

/** Equipment and points found by their tags, and the whole model for other programs. */
export const modelRoutes =
  (deps: ModelDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, now, templates } = deps;
    const config = { permission: 'equipment.read' };
    const read = (actor: Actor, retired = false) =>
      withActor(db, actor, (trx) => loadModel(trx, actor.accountId, templates, { retired }));

    app.get(
      '/api/model/points',
      {
        schema: {
          summary: 'Find points by a Haystack filter',
          querystring: ModelQuery,
          response: { 200: Page(PointDetail) },
        },
        config,
      },
      async (request) => {
        const { filter, unmapped, retired, equipment: of, after, limit } = request.query;
        const model = await read(actorOf(request), retired);
        const matches = matcherOf(model, filter);
        const wanted = model.points.filter(
          (point) =>
            (of === undefined || point.equipmentId === of) &&
            (unmapped === undefined || unmapped === point.gaps.length > 0) &&
            matches(point.tags),
        );
        const { items, next } = pageOf(wanted, after, limit);
        return { items: items.map((point) => pointDetail(point, request.language)), next };
      },
    );

    app.get(
      '/api/model/equipment',
      {
        schema: {
          summary: 'Find equipment by a Haystack filter',
          querystring: ModelQuery,
          response: { 200: Page(EquipmentDetail) },
        },
        config,
      },
      async (request) => {
        const actor = actorOf(request);
        const { filter, retired, equipment: of, after, limit } = request.query;
        return withActor(db, actor, async (trx) => {
          const model = await loadModel(trx, actor.accountId, templates, { retired: retired === true });
          const matches = matcherOf(model, filter);
          const wanted = model.equipment.filter(
            (one) => (of === undefined || one.id === of) && matches(one.tags),
          );
          const { items, next } = pageOf(wanted, after, limit);
          const details = await equipment.details(
            trx,
            actor.accountId,
            items.map(({ id }) => id),
          );
          const byId = new Map(details.map((row) => [row.id, row]));
          return {
            items: items.map(({ id }) => equipmentDetail(byId.get(id)!, now(), request.language)),
            next,
          };
        });
      },
    );

    const exportRoute = (
      [name, type, operationId, as]: readonly [string, string, string, string],
      write: (model: Model, actor: Actor) => string | Promise<string>,
    ): void => {
      app.get(
        `/api/exports/${name}`,
        {
          schema: { summary: `Export the model as ${as}`, operationId },
          config: { ...config, gives: [type] },
        },
        async (request, reply) => {
          const actor = actorOf(request);
          return sendFile(reply, name, type, await write(await read(actor), actor));
        },
      );
    };
    exportRoute(['model.ttl', 'text/turtle', 'getModelTurtle', 'Brick in Turtle'], (model, { accountId }) =>
      toTurtle(model, `urn:parkline:${accountId}:`),
    );
    exportRoute(['model.json', 'application/json', 'getModelHayson', 'Haystack JSON (Hayson)'], toHayson);
    exportRoute(['model.zinc', 'text/zinc', 'getModelZinc', 'Haystack Zinc'], toZinc);
  };

const sendFile = (reply: FastifyReply, name: string, type: string, text: string) =>
  reply
    .type(`${type}; charset=utf-8`)
    .header('content-disposition', `attachment; filename="${name}"`)
    .send(text);

/** @throws AppError 'bad_input' with the position of what cannot be read. */
function matcherOf(model: Model, filter: string | undefined): TagFilter {
  if (filter === undefined || filter.trim() === '') return () => true;
  const byRef = new Map(
    [...model.places, ...model.equipment, ...model.points].map(({ ref, tags }) => [ref, tags]),
  );
  return filterOf(filter, (ref) => byRef.get(ref));
}

/** The page behind the thing that the last one ended with. @throws AppError 'bad_input' when it is not there. */
function pageOf<T extends { readonly id: string }>(
  all: readonly T[],
  after: string | undefined,
  limit: number,
) {
  const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && from === 0) throw badField('after', fieldWords.notNext);
  const items = all.slice(from, from + limit);
  return { items, next: all.length > from + limit ? (items.at(-1)?.id ?? null) : null };
}

/** Ids of the points that a filter finds. @throws AppError 'bad_input' with the position of what cannot be read. */
export async function filteredPoints(
  trx: Db,
  accountId: string,
  templates: ReadonlyMap<string, Template>,
  filter: string,
): Promise<readonly string[]> {
  const model = await loadModel(trx, accountId, templates);
  const matches = matcherOf(model, filter);
  return model.points.filter(({ tags }) => matches(tags)).map(({ id }) => id);
}
