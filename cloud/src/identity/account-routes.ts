import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Account, AccountPatch } from '@parkline/contract';
import { actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { accounts } from './accounts.ts';
import { audit } from './audit.ts';

export interface AccountDeps {
  readonly db: Db;
  readonly now: Now;
}

/** What the park is called: everything that leaves it is signed with that. */
export const accountRoutes =
  ({ db, now }: AccountDeps): FastifyPluginAsyncTypebox =>
  (app) => {
    const permission = 'account.write';

    app.get(
      '/api/account',
      { config: { permission }, schema: { summary: 'Get the park’s account', response: { 200: Account } } },
      async (request, reply) => {
        const actor = actorOf(request);
        const account = await withActor(db, actor, (trx) => accounts.find(trx, actor.accountId));
        etag(reply, account.version);
        return account;
      },
    );

    app.patch(
      '/api/account',
      {
        config: { permission, fresh: true },
        schema: { summary: 'Name the park', body: AccountPatch, response: { 200: Account } },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const version = ifMatch(request);
        const { en, zh } = request.body.name;
        const name = { en: en.trim(), zh: zh.trim() };
        const account = await withActor(db, actor, async (trx) => {
          const { accountId, personId } = actor;
          const before = await accounts.find(trx, accountId);
          if (before.version !== version) throw staleEdit(before);
          if (before.name.en === name.en && before.name.zh === name.zh) return before;
          if (!(await accounts.rename(trx, before, name)))
            throw staleEdit(await accounts.find(trx, accountId));
          await audit(trx, {
            ...{
              accountId,
              at: now(),
              personId,
              action: 'park.changed',
              subjectId: accountId,
              ip: request.ip,
            },
            ...{ before: { name: before.name }, after: { name } },
          });
          return accounts.find(trx, accountId);
        });
        etag(reply, account.version);
        return account;
      },
    );
    return Promise.resolve();
  };
