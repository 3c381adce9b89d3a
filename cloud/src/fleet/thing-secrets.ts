import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { KeptSecret, SecretBody, SecretParams } from '@parkline/contract';
import { sql } from 'kysely';
import { actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { sealedPlace } from '../platform/secrets.ts';
import { noteChange, type ThingDeps } from './thing-changes.ts';
import { noSuch } from './thing-edits.ts';

interface Keeper {
  /** '/api/buses'; a secret is below one of them by its name. */
  readonly path: string;
  /** In refusals and in the audit. */
  readonly noun: 'bus' | 'equipment';
  /** What the documentation calls it: 'a bus'. */
  readonly one: string;
  /** Whether it is there, locked until the transaction ends. */
  isThere(trx: Db, accountId: string, id: string): Promise<boolean>;
}

/** Secrets of things: they come in, are kept sealed, and are shown to nobody. */
export const secretRoutes =
  (
    { db, now, secrets }: Pick<ThingDeps, 'db' | 'now' | 'secrets'>,
    { path, noun, one, isThere }: Keeper,
  ): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { permission: 'equipment.write', ifMatch: 'none' } as const;
    const table = `${noun}_secret` as const;
    const [into, holder] = [sql.table(table), sql.ref(`${noun}_id`)];

    app.put(
      `${path}/:id/secrets/:name`,
      {
        schema: {
          summary: `Set a secret of ${one}, which is never shown again`,
          params: SecretParams,
          body: SecretBody,
          response: { 200: KeptSecret },
        },
        config,
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { id, name } = request.params;
        const place = sealedPlace(table, 'sealed_value', accountId, id, name);
        const setAt = now();
        await withActor(db, actor, async (trx) => {
          if (!(await isThere(trx, accountId, id))) throw noSuch(noun, id);
          const sealed = secrets.seal(request.body.value, place);
          await sql`insert into ${into} (account_id, ${holder}, name, sealed_value, set_at)
            values (${accountId}, ${id}, ${name}, ${sealed}, ${setAt})
            on conflict (account_id, ${holder}, name) do update
              set sealed_value = excluded.sealed_value, set_at = excluded.set_at`.execute(trx);
          const details = { name };
          await noteChange(trx, now, actor, request, { action: `${noun}.secret_set`, id, details });
        });
        return { name, setAt: setAt.toISOString() };
      },
    );

    app.delete(
      `${path}/:id/secrets/:name`,
      { schema: { summary: `Forget a secret of ${one}`, params: SecretParams }, config },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { id, name } = request.params;
        await withActor(db, actor, async (trx) => {
          if (!(await isThere(trx, accountId, id))) throw noSuch(noun, id);
          const { rows } = await sql`delete from ${into}
            where account_id = ${accountId} and ${holder} = ${id} and name = ${name} returning name`.execute(
            trx,
          );
          const details = { name };
          if (rows.length > 0)
            await noteChange(trx, now, actor, request, { action: `${noun}.secret_removed`, id, details });
        });
        return reply.code(204).send();
      },
    );
  };
