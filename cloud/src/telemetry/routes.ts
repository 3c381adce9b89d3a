import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  History,
  HistoryQuery,
  IdParams,
  type Language,
  Page,
  Point,
  PointQuery,
  qualityOf,
} from '@parkline/contract';
import { loadTemplates } from '@parkline/templates';
import { filteredPoints } from '../fleet/index.ts';
import { actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { inLanguage, wordsIn } from '../platform/i18n.ts';
import { readHistory } from './history.ts';
import { type LiveDeps, liveRoute } from './live.ts';
import { findHistoryPoint, findPoints, type PointCursor, type PointRow } from './repository.ts';
import { engineering } from './sample.ts';

export interface TelemetryDeps extends LiveDeps {
  readonly db: Db;
  readonly now: () => Date;
}

const MAX_RANGE_MS = 400 * 86_400_000;
const config = { permission: 'point.read' };

/** Points with their latest values, the history of one, and live values. */
export function telemetryRoutes(deps: TelemetryDeps): FastifyPluginAsyncTypebox {
  const { db, now } = deps;
  const templates = loadTemplates();
  return async (app) => {
    app.get(
      '/api/points',
      {
        config: { ...config, display: true },
        schema: {
          summary: 'List the points with their latest values',
          querystring: PointQuery,
          response: { 200: Page(Point) },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit = 100, after, filter: tags, ...query } = request.query;
        const cursor = after === undefined ? undefined : readCursor(after);
        const rows = await withActor(db, actor, async (trx) => {
          const ids = tags && (await filteredPoints(trx, actor.accountId, templates, tags));
          const filter = { ...query, ...(ids && { ids }) };
          return findPoints(trx, actor.accountId, filter, { limit: limit + 1, after: cursor });
        });
        const page = rows.slice(0, limit);
        const last = rows.length > limit ? page.at(-1) : undefined;
        return {
          items: page.map((row) => toPoint(row, request.language)),
          next: last ? writeCursor(last) : null,
        };
      },
    );

    app.get(
      '/api/points/:id/history',
      {
        config,
        schema: {
          summary: 'Read what a point measured over a span of time',
          params: IdParams,
          querystring: HistoryQuery,
          response: { 200: History },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { by = 'raw', limit = 10_000 } = request.query;
        const span = readSpan(request.query);
        return withActor(db, actor, async (trx) => {
          const point = await findHistoryPoint(trx, actor.accountId, request.params.id);
          if (!point)
            throw new AppError('not_found', 'no such point', { details: { id: request.params.id } });
          return readHistory(trx, point, { ...span, by, limit, now: now() });
        });
      },
    );

    liveRoute(app, deps);
  };
}

const toPoint = (row: PointRow, language: Language): Point => ({
  id: row.id,
  name: inLanguage(row.name, language),
  unit: row.unit,
  protocol: row.protocol,
  value: engineering(row.value, row.resolution),
  at: row.at?.toISOString() ?? null,
  quality: row.quality === null ? null : qualityOf(row.quality),
  equipmentId: row.equipmentId,
  key: row.key,
  kind: row.kind,
  decimals: row.decimals,
  staleAfterMs: row.staleAfterMs,
  ...(row.states && { states: wordsIn(language, row.states) }),
  ...(row.write && { write: row.write }),
});

const writeCursor = ({ equipmentKey, num }: PointCursor): string =>
  Buffer.from(JSON.stringify([equipmentKey, num])).toString('base64url');

/** point.num is a positive int4. */
const isPointNum = (num: unknown): num is number =>
  Number.isInteger(num) && Number(num) > 0 && Number(num) < 2 ** 31;

/** @throws AppError 'bad_input' on anything that was not the `next` of an earlier page. */
function readCursor(text: string): PointCursor {
  try {
    const [equipmentKey, num] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    if (typeof equipmentKey === 'string' && !equipmentKey.includes('\0') && isPointNum(num))
      return { equipmentKey, num };
  } catch {
    // Falls through: not ours.
  }
  throw badField('after', fieldWords.notNext);
}

/** @throws AppError 'bad_input' when the times do not make a span of at most 400 days, or `after` is outside of it. */
function readSpan(query: HistoryQuery): { from: Date; to: Date; start: Date } {
  const [from, to] = [new Date(query.from), new Date(query.to)];
  if (!(from < to)) throw badField('to', fieldWords.laterThan('from'));
  if (to.getTime() - from.getTime() > MAX_RANGE_MS) throw badField('to', fieldWords.within(400, 'from'));
  const start = query.after === undefined ? from : new Date(query.after);
  if (!(start >= from && start < to)) throw badField('after', fieldWords.notNext);
  return { from, to, start };
}
