import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  IdParams,
  Page,
  Usage,
  UsagePoint,
  UsagePointQuery,
  UsageQuery,
  UsageSummary,
} from '@parkline/contract';
import type { FastifyRequest } from 'fastify';
import { tenantUsage } from '../metering/index.ts';
import { actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { inLanguage } from '../platform/i18n.ts';
import { tenants } from '../tenancy/index.ts';
import { readSummary } from './my-summary.ts';
import { readUsage } from './my-usage.ts';

const MAX_RANGE_MS = 400 * 86_400_000;
const config = { permission: 'my.usage' };

/** What a tenant used and what it cost so far: own spaces, own days, decided by the database. */
export const myUsageRoutes =
  ({ db, now }: { readonly db: Db; readonly now: Now }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/my/usage-points',
      {
        config,
        schema: {
          summary: 'List the own tenant’s meters',
          querystring: UsagePointQuery,
          response: { 200: Page(UsagePoint) },
        },
      },
      async (request) => {
        const actor = tenantOf(request);
        const { limit, after } = request.query;
        const found = await withActor(db, actor, (trx) =>
          tenantUsage.list(trx, actor.accountId, actor.tenantId, { after, limit: limit + 1 }),
        );
        const items = found.slice(0, limit).map(({ timezone: _zone, currency: _currency, ...point }) => ({
          ...point,
          name: inLanguage(point.name, request.language),
          spaceName: inLanguage(point.spaceName, request.language),
        }));
        return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
      },
    );

    app.get(
      '/api/my/usage-points/:id/usage',
      {
        config,
        schema: {
          summary: 'Read what the own tenant used over a span of time',
          params: IdParams,
          querystring: UsageQuery,
          response: { 200: Usage },
        },
      },
      async (request) => {
        const actor = tenantOf(request);
        const { id } = request.params;
        const span = {
          ...readSpan(request.query),
          now: now(),
          by: request.query.by,
          language: request.language,
        };
        return withActor(db, actor, async (trx) => {
          const [point] = await tenantUsage.list(trx, actor.accountId, actor.tenantId, { id });
          if (!point) throw new AppError('not_found', 'no such usage point', { details: { id } });
          return readUsage(trx, actor.accountId, point, span);
        });
      },
    );

    app.get(
      '/api/my/summary',
      {
        config,
        schema: { summary: 'Sum up what the own tenant uses this month', response: { 200: UsageSummary } },
      },
      async (request) => {
        const actor = tenantOf(request);
        const { accountId, tenantId } = actor;
        return withActor(db, actor, async (trx) => {
          const name = await tenants.nameOf(trx, accountId, tenantId);
          const tenantName = name ? inLanguage(name, request.language) : '';
          return readSummary(trx, {
            accountId,
            tenantId,
            tenantName,
            now: now(),
            language: request.language,
          });
        });
      },
    );
  };

/** @throws AppError 'forbidden' for staff, who have no use of their own. */
function tenantOf(request: FastifyRequest): { accountId: string; tenantId: string; buildings: null } {
  const { accountId, tenantId } = actorOf(request);
  if (tenantId === null) throw new AppError('forbidden', 'belongs to no tenant');
  return { accountId, tenantId, buildings: null };
}

/** @throws AppError 'bad_input' when the times do not make a span of at most 400 days. */
function readSpan(query: UsageQuery): { from: Date; to: Date } {
  const [from, to] = [new Date(query.from), new Date(query.to)];
  if (!(from < to)) throw badField('to', fieldWords.laterThan('from'));
  if (to.getTime() - from.getTime() > MAX_RANGE_MS) throw badField('to', fieldWords.within(400, 'from'));
  return { from, to };
}
