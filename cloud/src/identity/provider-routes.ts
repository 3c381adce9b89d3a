import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  IdentityProvider,
  IdParams,
  NewProviderBody,
  Page,
  ProviderPatch,
  ProviderSetup,
} from '@parkline/contract';
import Type from 'typebox';
import { actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { NewId } from '../platform/ids.ts';
import type { Secrets } from '../platform/secrets.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { audit } from './audit.ts';
import { type Oidc, secretPlace } from './oidc.ts';
import { identities, type ProviderRow, providers } from './oidc-store.ts';

export interface ProviderDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  readonly oidc: Oidc;
  readonly secrets: Secrets;
}

/** Without its secret. Pure. */
function view(row: ProviderRow, redirectUri: string): IdentityProvider {
  const { id, name, issuer, clientId, trustSecondFactor, secondFactorAcr, people, version } = row;
  return {
    ...{ id, name, issuer, clientId, trustSecondFactor, secondFactorAcr, redirectUri, people, version },
    hasClientSecret: row.sealedClientSecret !== null,
    defaultRole: row.defaultRole as IdentityProvider['defaultRole'],
  };
}

/** The identity providers of the account. A change of one is tried out before it is kept: a wrong one locks people out. */
export function providerRoutes(deps: ProviderDeps): FastifyPluginAsyncTypebox {
  const { db, now, newId, oidc, secrets } = deps;
  const config = { permission: 'person.write', fresh: true };
  const seal = (id: string, secret: string | null | undefined) =>
    secret === null || secret === undefined ? null : secrets.seal(secret, secretPlace(id));

  async function found(trx: Db, accountId: string, id: string): Promise<ProviderRow> {
    const row = await providers.find(trx, accountId, id);
    if (!row) throw new AppError('not_found', 'no such provider', { details: { id } });
    return row;
  }

  return (app) => {
    app.get(
      '/api/identity-providers',
      {
        config: { permission: 'person.read' },
        schema: { summary: 'List the identity providers', response: { 200: Page(IdentityProvider) } },
      },
      async (request) => {
        const actor = actorOf(request);
        const rows = await withActor(db, actor, (trx) => providers.list(trx, actor.accountId));
        return { items: rows.map((row) => view(row, oidc.redirectUri)), next: null };
      },
    );

    app.get(
      '/api/identity-provider-setup',
      {
        config: { permission: 'person.read' },
        schema: {
          summary: 'Read what has to be registered with an identity provider',
          response: { 200: ProviderSetup },
        },
      },
      () => ({ redirectUri: oidc.redirectUri }),
    );

    app.post(
      '/api/identity-providers',
      {
        config,
        schema: {
          summary: 'Add an identity provider',
          body: NewProviderBody,
          response: { 201: IdentityProvider },
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { clientSecret, issuer, clientId, name, ...rest } = request.body;
        await oidc.check({ issuer, clientId, secret: clientSecret ?? undefined });
        const id = newId();
        const row = {
          ...{ id, accountId, name, issuer, clientId, sealedClientSecret: seal(id, clientSecret) },
          trustSecondFactor: rest.trustSecondFactor ?? false,
          secondFactorAcr: rest.secondFactorAcr ?? [],
          defaultRole: rest.defaultRole ?? null,
        };
        const made = await withActor(db, actor, async (trx) => {
          if (!(await providers.add(trx, row)))
            throw new AppError('conflict', 'provider is known', { details: { why: 'provider_known' } });
          const after = { name, issuer, clientId, ...rest };
          const deed = { accountId, at: now(), personId, action: 'provider.added', subjectId: id };
          await audit(trx, { ...deed, after, ip: request.ip });
          return found(trx, accountId, id);
        });
        etag(reply, made.version);
        return reply.code(201).send(view(made, oidc.redirectUri));
      },
    );

    app.patch(
      '/api/identity-providers/:id',
      {
        config,
        schema: {
          summary: 'Change an identity provider',
          params: IdParams,
          body: ProviderPatch,
          response: { 200: IdentityProvider },
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id } = request.params;
        const version = ifMatch(request);
        const { clientSecret, ...rest } = request.body;
        const before = await withActor(db, actor, (trx) => found(trx, accountId, id));
        if (before.version !== version) throw staleEdit(view(before, oidc.redirectUri));
        const { issuer = before.issuer, clientId = before.clientId } = rest;
        if (issuer !== before.issuer || clientId !== before.clientId) await oidc.check({ issuer, clientId });
        // Another issuer is another world: it neither gets the old one's secret nor knows who its people are here.
        const isOther = issuer !== before.issuer;
        const secret =
          clientSecret === undefined && !isOther ? {} : { sealedClientSecret: seal(id, clientSecret) };
        const changed = await withActor(db, actor, async (trx) => {
          if (!(await providers.change(trx, before, { ...rest, ...secret })))
            throw staleEdit(view(await found(trx, accountId, id), oidc.redirectUri));
          if (isOther) await identities.unlinkAll(trx, accountId, id);
          const was = Object.fromEntries(
            Object.keys(rest).map((key) => [key, before[key as keyof ProviderRow]]),
          );
          const deed = { accountId, at: now(), personId, action: 'provider.changed', subjectId: id };
          await audit(trx, { ...deed, before: was, after: rest, ip: request.ip });
          return found(trx, accountId, id);
        });
        etag(reply, changed.version);
        return view(changed, oidc.redirectUri);
      },
    );

    app.delete(
      '/api/identity-providers/:id',
      {
        config,
        schema: { summary: 'Remove an identity provider', params: IdParams, response: { 204: Type.Null() } },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id } = request.params;
        const version = ifMatch(request);
        await withActor(db, actor, async (trx) => {
          const row = await found(trx, accountId, id);
          if (!(await providers.remove(trx, accountId, id, version)))
            throw staleEdit(view(row, oidc.redirectUri));
          const before = { name: row.name, issuer: row.issuer, clientId: row.clientId };
          const deed = { accountId, at: now(), personId, action: 'provider.removed', subjectId: id };
          await audit(trx, { ...deed, before, ip: request.ip });
        });
        return reply.code(204).send(null);
      },
    );
    return Promise.resolve();
  };
}
