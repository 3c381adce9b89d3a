import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AuditEntryView, AuditQuery, Page } from '@parkline/contract';
import { actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { type AuditRow, auditTrail } from './audit.ts';

/** Who did what, newest first. */
export const auditRoutes =
  ({ db }: { readonly db: Db }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/audit',
      {
        schema: {
          summary: 'List who did what, newest first',
          querystring: AuditQuery,
          response: { 200: Page(AuditEntryView) },
        },
        config: { permission: 'audit.read' },
      },
      async (request) => {
        const { limit, after, ...filter } = request.query;
        const page = { ...filter, limit: limit + 1, ...(after !== undefined && { before: Number(after) }) };
        const rows = await withActor(db, actorOf(request), (trx) => auditTrail.page(trx, page));
        const items = rows.slice(0, limit).map(auditView);
        return { items, next: rows.length > limit ? String(items.at(-1)?.seq) : null };
      },
    );
  };

function auditView({ at, content, ...row }: AuditRow): AuditEntryView {
  const { before = null, after = null, details = null, ip = null } = content ?? {};
  return { ...row, at: at.toISOString(), before, after, details, ip, erased: content === null };
}
