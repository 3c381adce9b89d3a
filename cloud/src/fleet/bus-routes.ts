import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Bus, BusBody, BusQuery, IdParams, Page } from '@parkline/contract';
import { actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, type FieldFault } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { addressSchemas } from './addresses.ts';
import { buses } from './bus-repository.ts';
import { differences, refuseFaults, refuseTaken, type ThingDeps } from './thing-changes.ts';
import { createThingEdits, noSuch } from './thing-edits.ts';
import { things } from './thing-repository.ts';
import { secretRoutes } from './thing-secrets.ts';
import { thingWords } from './thing-words.ts';

/** Parameters that are secrets: they are kept sealed, by a route of their own. */
export const secretParams = /pass(word|phrase|wd)$|secret|token|^userKey$|privateKey/i;

/** The lines, networks and brokers of gateways. */
export const busRoutes =
  (deps: ThingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, newId } = deps;
    const reading = { permission: 'equipment.read' };
    const writing = { permission: 'equipment.write' };
    const find = async (trx: Db, accountId: string, id: string) =>
      (await buses.list(trx, accountId, { id }))[0];
    const edits = createThingEdits(deps, {
      noun: 'bus',
      lock: async (trx, accountId, id) =>
        (await buses.lock(trx, accountId, id)) ? find(trx, accountId, id) : undefined,
      async view(trx, accountId, id) {
        const bus = await find(trx, accountId, id);
        if (!bus) throw noSuch('bus', id);
        return bus;
      },
    });

    app.get(
      '/api/buses',
      {
        schema: {
          summary: 'List the buses of the gateways',
          querystring: BusQuery,
          response: { 200: Page(Bus) },
        },
        config: reading,
      },
      async (request) => {
        const actor = actorOf(request);
        const { gateway } = request.query;
        const items = await withActor(db, actor, (trx) => buses.list(trx, actor.accountId, { gateway }));
        return { items, next: null };
      },
    );

    app.post(
      '/api/buses',
      {
        schema: { summary: 'Add a bus to a gateway', body: BusBody, response: { 201: Bus } },
        config: writing,
      },
      (request, reply) =>
        edits.add(request, reply, async (trx, accountId) => {
          const { body } = request;
          const { gateways } = await things.surrounding(trx, accountId);
          refuseFaults(busFaults(body, gateways));
          const id = newId();
          await trx
            .insertInto('bus')
            .values({ id, accountId, ...body })
            .execute()
            .catch((error: unknown) => refuseTaken(error, body.key));
          return { id, after: { ...body } };
        }),
    );

    app.put(
      '/api/buses/:id',
      {
        schema: { summary: 'Change a bus', params: IdParams, body: BusBody, response: { 200: Bus } },
        config: writing,
      },
      (request, reply) =>
        edits.change(request, reply, request.params.id, (trx, before) =>
          changeBus(trx, actorOf(request).accountId, before, request.body),
        ),
    );

    app.delete(
      '/api/buses/:id',
      { schema: { summary: 'Remove a bus', params: IdParams }, config: writing },
      async (request, reply) => {
        await edits.remove(request, request.params.id, async (trx, before) => {
          const { accountId } = actorOf(request);
          if (await buses.isUsed(trx, accountId, before))
            throw new AppError('conflict', 'devices hang on the bus', { details: { why: 'bus_used' } });
          await trx
            .deleteFrom('bus')
            .where('accountId', '=', accountId)
            .where('id', '=', before.id)
            .execute();
          return { removed: 'deleted', details: { key: before.key } };
        });
        return reply.code(204).send();
      },
    );

    await app.register(
      secretRoutes(deps, { path: '/api/buses', noun: 'bus', one: 'a bus', isThere: buses.lock }),
    );
  };

/** @returns what changed. @throws AppError 'bad_input' naming every field that does not fit. */
async function changeBus(trx: Db, accountId: string, before: Bus, body: BusBody) {
  const { gateways } = await things.surrounding(trx, accountId);
  refuseFaults(busFaults(body, gateways));
  const isUsed = await buses.isUsed(trx, accountId, before);
  const change = differences(before, body);
  for (const field of ['gatewayId', 'key', 'protocol'])
    if (isUsed && field in change.after) refuseFaults([{ field, message: thingWords.used }]);
  await trx
    .updateTable('bus')
    .set(body)
    .where('accountId', '=', accountId)
    .where('id', '=', before.id)
    .execute();
  // A password goes to the address it was given for, by the gateway it was given to, and to no other.
  if (['gatewayId', 'protocol', 'params'].some((field) => field in change.after))
    await trx
      .deleteFrom('busSecret')
      .where('accountId', '=', accountId)
      .where('busId', '=', before.id)
      .execute();
  return change;
}

function busFaults({ gatewayId, protocol, params }: BusBody, gateways: ReadonlySet<string>) {
  const faults: FieldFault[] = Object.keys(params)
    .filter((name) => secretParams.test(name))
    .map((name) => ({ field: `params.${name}`, message: thingWords.secret }));
  if ('port' in params && !isPort(params['port'], protocol))
    faults.push({ field: 'params.port', message: thingWords.port });
  if (!gateways.has(gatewayId)) faults.push({ field: 'gatewayId', message: fieldWords.noGateway });
  if (!Object.hasOwn(addressSchemas, protocol))
    faults.push({ field: 'protocol', message: thingWords.noDriver(protocol) });
  return faults;
}

/** BACnet opens a port of its own, and 0 is any that is free. */
const isPort = (port: unknown, protocol: string): boolean =>
  Number.isInteger(port) && Number(port) >= (protocol === 'bacnet' ? 0 : 1) && Number(port) <= 65_535;
