import './tables.ts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  Contact,
  ContactQuery,
  IdParams,
  LeaseRecord,
  MoveBody,
  Page,
  SpaceRecord,
  SpaceStateBody,
} from '@parkline/contract';
import { sql } from 'kysely';
import { dayOfSpace, spaceRecord, stateRefusal } from '../places/index.ts';
import { actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { etag, ifMatch } from '../platform/versions.ts';
import { changeRecord, type RecordDeps, recordRoutes, refusing } from '../records/index.ts';
import { setSpaceState } from './follow-leases.ts';
import { type MoveDeps, moveIn, moveOut } from './moves.ts';
import { contactRecord, leaseRecord, tenantRecord } from './tenant-records.ts';

export type TenancyRecordDeps = RecordDeps & MoveDeps;

/** Tenants, their contacts and leases one by one; handing spaces over; the state of a space. */
export const tenancyRecordRoutes =
  (deps: TenancyRecordDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(recordRoutes(deps, tenantRecord));
    await app.register(recordRoutes(deps, contactRecord));
    await app.register(recordRoutes(deps, leaseRecord));
    await app.register(contactList(deps));
    await app.register(moveRoutes(deps));
    await app.register(stateRoute(deps));
  };

const contactList =
  ({ db }: RecordDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/contacts',
      {
        schema: {
          summary: 'List the contacts of the tenants',
          querystring: ContactQuery,
          response: { 200: Page(Contact) },
        },
        config: { permission: 'tenancy.write' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { tenant, after, limit } = request.query;
        const found = await withActor(db, actor, (trx) => {
          let query = trx
            .selectFrom('tenantContact')
            .select(['id', 'key', 'tenantId', 'kind', 'name', 'phone', 'mail', 'version'])
            .where('accountId', '=', actor.accountId);
          if (tenant !== undefined) query = query.where('tenantId', '=', tenant);
          if (after !== undefined) query = query.where('id', '>', after);
          return query
            .orderBy('id')
            .limit(limit + 1)
            .execute();
        });
        const items = found.slice(0, limit);
        return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
      },
    );
  };

const moveRoutes =
  (deps: TenancyRecordDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, now, newId } = deps;
    for (const [way, move] of [
      ['in', moveIn],
      ['out', moveOut],
    ] as const)
      app.post(
        `/api/leases/:id/move-${way}`,
        {
          schema: {
            summary: `Move a tenant ${way}`,
            operationId: way === 'in' ? 'moveIn' : 'moveOut',
            params: IdParams,
            body: MoveBody,
            response: { 200: LeaseRecord },
          },
          config: { permission: 'tenancy.write' },
        },
        async (request, reply) => {
          const actor = actorOf(request);
          const { accountId, personId } = actor;
          const editor = { accountId, personId, at: now(), newId, ip: request.ip };
          const { id } = request.params;
          const lease = await refusing(() =>
            withActor(db, actor, async (trx) => {
              const version = await versionOf(trx, accountId, id);
              return changeRecord(trx, leaseRecord, editor, {
                ...{ id, version },
                change: (current) => move(trx, deps, editor, current, request.body),
              });
            }),
          );
          etag(reply, lease.version);
          return lease;
        },
      );
  };

/** A handover is no edit of what somebody read: it is judged by what is there now. Locked until the transaction ends. */
async function versionOf(trx: Db, accountId: string, id: string): Promise<number> {
  const { rows } = await sql<{ version: number }>`
    select version from lease where account_id = ${accountId} and id = ${id} for no key update`.execute(trx);
  const row = rows[0];
  if (!row) throw new AppError('not_found', 'no such lease', { details: { id } });
  return row.version;
}

const stateRoute =
  ({ db, now, newId }: RecordDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.put(
      '/api/spaces/:id/state',
      {
        schema: {
          summary: 'Set the state of a space',
          params: IdParams,
          body: SpaceStateBody,
          response: { 200: SpaceRecord },
        },
        config: { permission: 'place.write' },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const at = now();
        const editor = { accountId, personId, at, newId, ip: request.ip };
        const version = ifMatch(request);
        const { id } = request.params;
        const { state, why } = request.body;
        const space = await withActor(db, actor, (trx) =>
          changeRecord(trx, spaceRecord, editor, {
            ...{ id, version },
            async change({ state: from }) {
              if (from === state) return;
              const refusal = stateRefusal(from, state, await isLeased(trx, accountId, id, at));
              if (refusal)
                throw new AppError('conflict', `${from} cannot become ${state}`, {
                  details: { why: refusal, from },
                });
              await setSpaceState(trx, editor, { id, from, to: state, why });
            },
          }),
        );
        etag(reply, space.version);
        return space;
      },
    );
  };

/** Whether a lease runs today on the calendar of the site. */
async function isLeased(trx: Db, accountId: string, id: string, at: Date): Promise<boolean> {
  const { rows } = await sql<{ leased: boolean }>`
    select exists (select from lease_space l where l.account_id = s.account_id and l.space_id = s.id
      and daterange(l.from_date, l.to_date) @> ${dayOfSpace(at)}) as leased
    from space s where s.account_id = ${accountId} and s.id = ${id}`.execute(trx);
  return rows[0]?.leased ?? false;
}
