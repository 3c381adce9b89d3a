import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Lease, LeaseQuery, Page, Space, SpaceQuery, Tenant, TenantQuery } from '@parkline/contract';
import { actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { leaseView, spaceView, tenantView } from './domain.ts';
import { leases, spaces, tenants } from './repository.ts';

/** One more was asked for than the page holds: it tells whether there is a next page. */
function pageOf<T extends { readonly id: string }>(found: readonly T[], limit: number) {
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** Spaces, who leases them, and by which leases. Somebody of a tenant sees the own ones only. */
export const tenancyRoutes =
  ({ db, now }: { readonly db: Db; readonly now: Now }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/spaces',
      {
        schema: {
          summary: 'List the spaces with who rents them',
          querystring: SpaceQuery,
          response: { 200: Page(Space) },
        },
        config: { permission: 'place.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit, ...query } = request.query;
        const page = { ...query, limit: limit + 1 };
        const rows = await withActor(db, actor, (trx) => spaces.page(trx, actor.accountId, now(), page));
        return pageOf(
          rows.map((row) => spaceView(row, request.language)),
          limit,
        );
      },
    );

    app.get(
      '/api/tenants',
      {
        schema: { summary: 'List the tenants', querystring: TenantQuery, response: { 200: Page(Tenant) } },
        config: { permission: 'tenancy.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit, ...query } = request.query;
        const page = { ...query, limit: limit + 1 };
        const rows = await withActor(db, actor, (trx) => tenants.page(trx, actor.accountId, now(), page));
        return pageOf(
          rows.map((row) => tenantView(row, request.language)),
          limit,
        );
      },
    );

    app.get(
      '/api/leases',
      {
        schema: { summary: 'List the leases', querystring: LeaseQuery, response: { 200: Page(Lease) } },
        config: { permission: 'tenancy.read' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit, ...query } = request.query;
        const page = { ...query, limit: limit + 1 };
        const rows = await withActor(db, actor, (trx) => leases.page(trx, actor.accountId, now(), page));
        return pageOf(
          rows.map((row) => leaseView(row, request.language)),
          limit,
        );
      },
    );
  };
