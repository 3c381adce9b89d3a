import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  GatewayConfigBody,
  GatewayConfigDiff,
  GatewayConfigParams,
  GatewayConfigText,
  GatewayConfigView,
  GatewayLog,
  GatewayLogBody,
  IdParams,
  Page,
} from '@parkline/contract';
import { gatewayState } from '../fleet/index.ts';
import { type Actor, actorOf } from '../platform/access.ts';
import type { Wait } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { countChanges } from './config-counts.ts';
import { makeConfig } from './config-make.ts';
import { configs } from './config-repository.ts';
import { checkText } from './config-text.ts';
import { administered } from './gateway-repository.ts';
import { found, type GatewayDeps, noted } from './gateway-routes.ts';
import { configView, diffLines } from './present.ts';

export interface ConfigRouteDeps extends GatewayDeps {
  readonly wait: Wait;
  /** Address of the message server as gateways reach it. */
  readonly gatewayNatsUrl: string;
}

/** How long a person waits for a log. */
const LOG_MS = 10_000;
const LOOK_MS = 100;
const USUAL_LINES = 200;

/** Configurations of a gateway: what it runs with, what would change, and what became of each offer. */
export const configRoutes =
  (deps: ConfigRouteDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(offerRoutes(deps));
    await app.register(logRoutes(deps));
  };

/** The text that somebody wants to be in force: theirs, or made. @throws AppError. */
async function wished(
  { gatewayNatsUrl }: ConfigRouteDeps,
  trx: Db,
  { accountId }: Actor,
  id: string,
  { yaml }: GatewayConfigBody,
): Promise<string> {
  const gateway = await found(trx, accountId, id);
  if (yaml === undefined) return makeConfig(trx, accountId, gateway, gatewayNatsUrl);
  checkText(yaml, id);
  return yaml;
}

function offerRoutes(deps: ConfigRouteDeps): FastifyPluginAsyncTypebox {
  const { db, now, newId } = deps;
  return async (app) => {
    app.get(
      '/api/gateways/:id/configs',
      {
        schema: {
          summary: 'List the configurations of a gateway, newest first',
          params: IdParams,
          response: { 200: Page(GatewayConfigView) },
        },
        config: { permission: 'gateway.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const rows = await withActor(db, actor, async (trx) => {
          await found(trx, actor.accountId, request.params.id);
          return configs.list(trx, actor.accountId, request.params.id);
        });
        return { items: rows.map(configView), next: null };
      },
    );

    app.get(
      '/api/gateways/:id/configs/:n',
      {
        schema: {
          summary: 'Get a configuration of a gateway',
          params: GatewayConfigParams,
          response: { 200: GatewayConfigText },
        },
        config: { permission: 'gateway.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { id, n } = request.params;
        const row = await withActor(db, actor, (trx) => configs.text(trx, actor.accountId, id, n));
        if (!row) throw new AppError('not_found', 'no such version', { details: { n } });
        return { ...configView(row), yaml: row.yaml };
      },
    );

    app.post(
      '/api/gateways/:id/config-diff',
      {
        schema: {
          summary: 'Compare a configuration with what a gateway runs',
          operationId: 'diffGatewayConfig',
          params: IdParams,
          body: GatewayConfigBody,
          response: { 200: GatewayConfigDiff },
        },
        config: { permission: 'gateway.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        return withActor(db, actor, async (trx) => {
          const next = await wished(deps, trx, actor, id, request.body);
          const current = await configs.inForce(trx, actor.accountId, id);
          const before = current?.yaml ?? '';
          const lines = diffLines(before, next);
          const changed = lines.some(({ how }) => how !== 'same');
          return { from: current?.n ?? null, changed, counts: countChanges(before, next), lines };
        });
      },
    );

    app.post(
      '/api/gateways/:id/configs',
      {
        schema: {
          summary: 'Offer a gateway a configuration, on trial',
          params: IdParams,
          body: GatewayConfigBody,
          response: { 201: GatewayConfigText },
        },
        config: { permission: 'gateway.write', fresh: true },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id } = request.params;
        const row = await withActor(db, actor, async (trx) => {
          const yaml = await wished(deps, trx, actor, id, request.body);
          const source = request.body.yaml === undefined ? 'made' : 'file';
          const made = { id: newId(), accountId, gatewayId: id, createdAt: now(), createdBy: personId };
          const n = await configs.add(trx, { ...made, yaml, source });
          await noted(trx, request, made.createdAt, id, 'gateway.config_offered', { details: { n, source } });
          return configs.text(trx, accountId, id, n);
        });
        if (!row) throw new Error('a configuration that was just made is not there');
        return reply.code(201).send({ ...configView(row), yaml: row.yaml });
      },
    );
  };
}

function logRoutes({ db, now, newId, wait }: ConfigRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    const stop = new AbortController();
    app.addHook('onClose', () => {
      stop.abort();
      return Promise.resolve();
    });
    app.post(
      '/api/gateways/:id/logs',
      {
        schema: {
          summary: 'Fetch the last lines of a gateway’s log',
          operationId: 'readGatewayLog',
          params: IdParams,
          body: GatewayLogBody,
          response: { 200: GatewayLog },
        },
        config: { permission: 'gateway.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const [id, gatewayId, askedAt] = [newId(), request.params.id, now()];
        const expiresAt = new Date(askedAt.getTime() + LOG_MS);
        const { lines = USUAL_LINES } = request.body;
        await withActor(db, actor, async (trx) => {
          const { revokedAt } = await found(trx, accountId, gatewayId);
          const heardAt = await administered.heardAt(trx, accountId, gatewayId);
          const state = gatewayState({ heardAt, revokedAt }, askedAt);
          if (state !== 'online')
            throw new AppError('conflict', `the gateway is ${state}`, { details: { why: state } });
          const ask = { id, accountId, gatewayId, askedAt, askedBy: personId, expiresAt };
          await administered.ask(trx, { ...ask, what: 'logs', lines });
          await noted(trx, request, askedAt, gatewayId, 'gateway.log_read', {
            details: { lines },
          });
        });
        for (let waited = 0; waited < LOG_MS && !stop.signal.aborted; waited += LOOK_MS) {
          const row = await withActor(db, actor, (trx) => administered.takeAnswer(trx, accountId, id));
          if (row?.answer) return row.answer;
          await wait(LOOK_MS, stop.signal);
        }
        throw new AppError('unavailable', 'the gateway did not answer in time', {
          details: { why: 'no_answer' },
        });
      },
    );
  };
}
