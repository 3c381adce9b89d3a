import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  Bus,
  BusBody,
  BusQuery,
  IdParams,
  KeptSecret,
  Page,
  SecretBody,
  SecretParams,
} from '@parkline/contract';
import { actorOf } from '../platform/access.ts';
import { withActor } from '../platform/db.ts';
import { AppError, type FieldFault } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { sealedPlace } from '../platform/secrets.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { addressSchemas } from './addresses.ts';
import { buses } from './bus-repository.ts';
import { noSuch } from './equipment-routes.ts';
import { differences, noteChange, refuseFaults, refuseTaken, type ThingDeps } from './thing-changes.ts';
import { things } from './thing-repository.ts';
import { thingWords } from './thing-words.ts';

/** Parameters that are secrets: they are kept sealed, by a route of their own. */
export const secretParams = /pass(word|phrase|wd)$|secret|token|^userKey$|privateKey/i;

/** The lines, networks and brokers of gateways. */
export const busRoutes =
  ({ db, now, newId, secrets }: ThingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const reading = { permission: 'equipment.read' };
    const writing = { permission: 'equipment.write' };

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
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { body } = request;
        const bus = await withActor(db, actor, async (trx) => {
          const { gateways } = await things.surrounding(trx, accountId);
          refuseFaults(busFaults(body, gateways));
          const id = newId();
          await trx
            .insertInto('bus')
            .values({ id, accountId, ...body })
            .execute()
            .catch((error: unknown) => refuseTaken(error, body.key));
          await noteChange(trx, now, actor, request, { action: 'bus.created', id, after: { ...body } });
          return (await buses.list(trx, accountId, { id }))[0]!;
        });
        etag(reply, bus.version);
        return reply.code(201).send(bus);
      },
    );

    app.put(
      '/api/buses/:id',
      {
        schema: { summary: 'Change a bus', params: IdParams, body: BusBody, response: { 200: Bus } },
        config: writing,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const version = ifMatch(request);
        const { id } = request.params;
        const { body } = request;
        const bus = await withActor(db, actor, async (trx) => {
          await buses.lock(trx, accountId, id);
          const [before] = await buses.list(trx, accountId, { id });
          if (!before) throw noSuch('bus', id);
          if (before.version !== version) throw staleEdit(before);
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
            .where('id', '=', id)
            .execute();
          // A password goes to the address it was given for, by the gateway it was given to, and to no other.
          if (['gatewayId', 'protocol', 'params'].some((field) => field in change.after))
            await trx
              .deleteFrom('busSecret')
              .where('accountId', '=', accountId)
              .where('busId', '=', id)
              .execute();
          if (Object.keys(change.after).length > 0)
            await noteChange(trx, now, actor, request, { action: 'bus.changed', id, ...change });
          return (await buses.list(trx, accountId, { id }))[0]!;
        });
        etag(reply, bus.version);
        return bus;
      },
    );

    app.delete(
      '/api/buses/:id',
      { schema: { summary: 'Remove a bus', params: IdParams }, config: writing },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const version = ifMatch(request);
        const { id } = request.params;
        await withActor(db, actor, async (trx) => {
          await buses.lock(trx, accountId, id);
          const [before] = await buses.list(trx, accountId, { id });
          if (!before) throw noSuch('bus', id);
          if (before.version !== version) throw staleEdit(before);
          if (await buses.isUsed(trx, accountId, before))
            throw new AppError('conflict', 'devices hang on the bus', { details: { why: 'bus_used' } });
          await trx.deleteFrom('bus').where('accountId', '=', accountId).where('id', '=', id).execute();
          await noteChange(trx, now, actor, request, {
            action: 'bus.deleted',
            id,
            details: { key: before.key },
          });
        });
        return reply.code(204).send();
      },
    );

    await app.register(secretRoutes({ db, now, secrets }));
  };

/** Passwords of buses: they come in, are kept sealed, and are shown to nobody. */
const secretRoutes =
  ({ db, now, secrets }: Pick<ThingDeps, 'db' | 'now' | 'secrets'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const writing = { permission: 'equipment.write' };

    app.put(
      '/api/buses/:id/secrets/:name',
      {
        schema: {
          summary: 'Set a secret of a bus, which is never shown again',
          params: SecretParams,
          body: SecretBody,
          response: { 200: KeptSecret },
        },
        config: { ...writing, ifMatch: 'none' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { id, name } = request.params;
        const setAt = now();
        await withActor(db, actor, async (trx) => {
          if (!(await buses.lock(trx, accountId, id))) throw noSuch('bus', id);
          const sealedValue = secrets.seal(
            request.body.value,
            sealedPlace('bus_secret', 'sealed_value', accountId, id, name),
          );
          await trx
            .insertInto('busSecret')
            .values({ accountId, busId: id, name, sealedValue, setAt })
            .onConflict((c) => c.columns(['accountId', 'busId', 'name']).doUpdateSet({ sealedValue, setAt }))
            .execute();
          await noteChange(trx, now, actor, request, { action: 'bus.secret_set', id, details: { name } });
        });
        return { name, setAt: setAt.toISOString() };
      },
    );

    app.delete(
      '/api/buses/:id/secrets/:name',
      {
        schema: { summary: 'Forget a secret of a bus', params: SecretParams },
        config: { ...writing, ifMatch: 'none' },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { id, name } = request.params;
        await withActor(db, actor, async (trx) => {
          if (!(await buses.lock(trx, accountId, id))) throw noSuch('bus', id);
          const gone = await trx
            .deleteFrom('busSecret')
            .where('accountId', '=', accountId)
            .where('busId', '=', id)
            .where('name', '=', name)
            .returning('name')
            .executeTakeFirst();
          const details = { name };
          if (gone) await noteChange(trx, now, actor, request, { action: 'bus.secret_removed', id, details });
        });
        return reply.code(204).send();
      },
    );
  };

function busFaults({ gatewayId, protocol, params }: BusBody, gateways: ReadonlySet<string>) {
  const faults: FieldFault[] = Object.keys(params)
    .filter((name) => secretParams.test(name))
    .map((name) => ({ field: `params.${name}`, message: thingWords.secret }));
  if (!gateways.has(gatewayId)) faults.push({ field: 'gatewayId', message: fieldWords.noGateway });
  if (!Object.hasOwn(addressSchemas, protocol))
    faults.push({ field: 'protocol', message: thingWords.noDriver(protocol) });
  return faults;
}
