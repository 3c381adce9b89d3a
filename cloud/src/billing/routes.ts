import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  BillingRun,
  BillingRunSummary,
  IdParams,
  LineInterval,
  Page,
  PageQuery,
  Statement,
} from '@parkline/contract';
import { actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { intervalView, lineView, runView, statementView, summaryView } from './book-view.ts';
import { books, type IntervalCursor, type RunCursor } from './repository.ts';

const config = { permission: 'billing.read' };

/** Billing runs down to the quarter hours behind a cent. */
export const billingRoutes =
  ({ db }: { readonly db: Db }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/billing-runs',
      {
        config,
        schema: {
          summary: 'List the billing runs, newest first',
          querystring: PageQuery,
          response: { 200: Page(BillingRunSummary) },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit = 100, after } = request.query;
        const cursor = after === undefined ? undefined : readCursor(after, isRunCursor);
        const found = await withActor(db, actor, (trx) =>
          books.runs(trx, actor.accountId, { limit: limit + 1, after: cursor }),
        );
        const last = found.length > limit ? found[limit - 1] : undefined;
        return {
          items: found.slice(0, limit).map(summaryView),
          next: last ? writeCursor([last.fromDate, last.id]) : null,
        };
      },
    );

    app.get(
      '/api/billing-runs/:id',
      {
        config,
        schema: {
          summary: 'Get a billing run with its statements',
          params: IdParams,
          response: { 200: BillingRun },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        return withActor(db, actor, async (trx) => {
          const run = await books.run(trx, actor.accountId, id);
          if (!run) throw new AppError('not_found', 'no such billing run', { details: { id } });
          return runView(run, await books.statements(trx, actor.accountId, id), request.language);
        });
      },
    );

    app.get(
      '/api/statements/:id',
      {
        config,
        schema: { summary: 'Get a statement with its lines', params: IdParams, response: { 200: Statement } },
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        return withActor(db, actor, async (trx) => {
          const statement = await books.statement(trx, actor.accountId, id);
          const run = statement && (await books.run(trx, actor.accountId, statement.runId));
          if (!run) throw new AppError('not_found', 'no such statement', { details: { id } });
          const lines = await books.lines(trx, actor.accountId, id);
          return {
            ...statementView(statement),
            ...{ runId: run.id, currency: run.currency, timezone: run.timezone },
            period: { from: run.fromDate, to: run.toDate },
            lines: lines.map((line) => lineView(line, request.language)),
          };
        });
      },
    );

    app.get(
      '/api/statement-lines/:id/intervals',
      {
        config,
        schema: {
          summary: 'List the intervals that a line was computed of',
          params: IdParams,
          querystring: PageQuery,
          response: { 200: Page(LineInterval) },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const { limit = 100, after } = request.query;
        const cursor = after === undefined ? undefined : readCursor(after, isIntervalCursor);
        return withActor(db, actor, async (trx) => {
          const line = await books.line(trx, actor.accountId, id);
          if (!line) throw new AppError('not_found', 'no such line', { details: { id } });
          const found = await books.intervals(trx, actor.accountId, line, {
            limit: limit + 1,
            after: cursor,
          });
          const last = found.length > limit ? found[limit - 1] : undefined;
          return {
            items: found.slice(0, limit).map((row) => intervalView(row, line)),
            next: last ? writeCursor([last.usagePoint, last.at.toISOString()]) : null,
          };
        });
      },
    );
  };

const writeCursor = (place: readonly [string, string]): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url');

/** @throws AppError 'bad_input' on anything that was not the `next` of an earlier page. */
function readCursor<T>(text: string, read: (first: string, second: string) => T | undefined): T {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(parts) && typeof parts[0] === 'string' && typeof parts[1] === 'string') {
      const cursor = read(parts[0], parts[1]);
      if (cursor) return cursor;
    }
  } catch {
    // Falls through: not ours.
  }
  throw badField('after', fieldWords.notNext);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Text that `toISOString` makes of an instant that PostgreSQL knows, too: it has no year 0 and no 30 February. */
const isIso = (text: string): boolean =>
  /^\d/.test(text) &&
  text >= '0001' &&
  !Number.isNaN(Date.parse(text)) &&
  new Date(text).toISOString() === text;
const isRunCursor = (fromDate: string, id: string): RunCursor | undefined =>
  isIso(`${fromDate}T00:00:00.000Z`) && UUID.test(id) ? { fromDate, id } : undefined;
const isIntervalCursor = (usagePoint: string, at: string): IntervalCursor | undefined =>
  !usagePoint.includes('\0') && isIso(at) ? { usagePoint, at } : undefined;
