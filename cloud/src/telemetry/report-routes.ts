import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { GatewayReport, GatewayReportQuery, IdParams, Page } from '@parkline/contract';
import { actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { inLanguage } from '../platform/i18n.ts';
import { findReports, type ReportCursor } from './reports.ts';

/** What gateways report beside their readings: gaps, alarms, what became of commands and configurations. */
export function reportRoutes({ db }: { readonly db: Db }): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/gateways/:id/reports',
      {
        config: { permission: 'gateway.read' },
        schema: {
          summary: 'List what a gateway reported about itself, newest first',
          params: IdParams,
          querystring: GatewayReportQuery,
          response: { 200: Page(GatewayReport) },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const { limit = 50, after } = request.query;
        const cursor = after === undefined ? undefined : readCursor(after);
        const rows = await withActor(db, actor, (trx) =>
          findReports(trx, actor.accountId, id, { limit: limit + 1, after: cursor }),
        );
        if (!rows) throw new AppError('not_found', 'no such gateway', { details: { id } });
        const last = rows.length > limit ? rows[limit - 1] : undefined;
        return {
          items: rows.slice(0, limit).map(({ at, receivedAt, body, subject }) => ({
            at: at.toISOString(),
            receivedAt: receivedAt.toISOString(),
            event: body,
            subject: subject ? inLanguage(subject, request.language) : null,
          })),
          next: last ? `${last.at.toISOString()}/${last.id}` : null,
        };
      },
    );
  };
}

const CURSOR = /^(\d{4}-\d\d-\d\dT[\d:.]+Z)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** @throws AppError 'bad_input' on anything that was not the `next` of an earlier page. */
function readCursor(text: string): ReportCursor {
  const [, at = '', id = ''] = CURSOR.exec(text) ?? [];
  const time = new Date(at);
  if (id !== '' && !Number.isNaN(time.getTime())) return { at: time, id };
  throw badField('after', fieldWords.notNext);
}
