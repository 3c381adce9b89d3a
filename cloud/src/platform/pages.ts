import { ListQuery } from '@parkline/contract';
import type { FastifyInstance, RouteOptions } from 'fastify';
import Type, { type TProperties } from 'typebox';
import { badField } from './errors.ts';
import { fieldWords } from './fault-words.ts';
import { isPage } from './openapi.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route answers with its whole list, and is paged here. */
    isWhole?: boolean;
  }
}

/**
 * A page of a list that is at hand as a whole. `items` keep their order; `idOf` is unique among them and becomes `next`.
 * @throws AppError 'bad_input' when `after` is none of them.
 */
export function pageOf<T>(
  items: readonly T[],
  { limit, after }: ListQuery,
  idOf: (item: T) => string,
): { items: T[]; next: string | null } {
  const start = after === undefined ? 0 : items.findIndex((item) => idOf(item) === after) + 1;
  if (after !== undefined && start === 0) throw badField('after', fieldWords.notNext);
  const page = items.slice(start, start + limit);
  const last = page.at(-1);
  return { items: page, next: last && start + limit < items.length ? idOf(last) : null };
}

/** A route that answers with a list and names no cursor in its query has the whole list at hand: it takes ours. Before the schemas are closed. */
export function takePage(route: RouteOptions): void {
  const { response, querystring } = (route.schema ?? {}) as {
    response?: { 200?: unknown };
    querystring?: unknown;
  };
  const own = (querystring as { properties?: TProperties } | undefined)?.properties ?? {};
  if (route.method !== 'GET' || !isPage(response?.[200]) || 'after' in own || 'limit' in own) return;
  route.schema = { ...route.schema, querystring: Type.Object({ ...own, ...ListQuery.properties }) };
  route.config = { ...route.config, isWhole: true };
}

/** Cuts the page that was asked for out of a whole list. */
export function pageWholeLists(app: FastifyInstance): void {
  app.addHook('preSerialization', (request, reply, payload, done) => {
    const { isWhole } = request.routeOptions.config;
    if (!isWhole || reply.statusCode !== 200) return done(null, payload);
    const { items } = payload as { items: readonly unknown[] };
    try {
      return done(
        null,
        pageOf(items, request.query as ListQuery, (item) => nameOf(item, items)),
      );
    } catch (error) {
      return done(error as Error);
    }
  });
}

/** What tells a thing from the others in its list: an id of whatever name, else its place. */
function nameOf(item: unknown, items: readonly unknown[]): string {
  const { id, key, equipmentId, n } = item as Record<string, unknown>;
  return String(id ?? key ?? equipmentId ?? n ?? items.indexOf(item));
}
