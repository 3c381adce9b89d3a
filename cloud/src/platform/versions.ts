import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, badField } from './errors.ts';

/** Whether a change must name the version that it was made on. */
export type IfMatch = 'demanded' | 'optional' | 'none';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * PUT, PATCH and DELETE demand it unless this says otherwise. none: nobody reads it before a change, so nobody's is lost.
     * optional: the route itself demands it once there is something.
     */
    ifMatch?: 'optional' | 'none';
  }
}

const edits = new Set(['PUT', 'PATCH', 'DELETE']);

export const ifMatchOf = (method: string, config: Pick<FastifyContextConfig, 'ifMatch'> = {}): IfMatch =>
  edits.has(method) ? (config.ifMatch ?? 'demanded') : 'none';

/** Refuses a change without a version before its route begins; whether it is the right one the route finds out. */
export function demandVersions(app: FastifyInstance): void {
  app.addHook('preHandler', (request, _reply, done) => {
    const { method, routeOptions } = request;
    if (ifMatchOf(method, routeOptions.config) === 'demanded') ifMatch(request);
    done();
  });
}

/** Names the version of the thing in the answer (RFC 9110 clause 8.8.3); who changes it sends this back. */
export const etag = (reply: FastifyReply, version: number): void => void reply.header('etag', `"${version}"`);

/**
 * The version that a change was made on, from If-Match (RFC 9110 clause 13.1.1). One version, no list and no `*`: a change
 * to whatever is there now is how somebody else's gets lost.
 * @throws AppError 'precondition_required' without one, 'bad_input' on what is none of ours.
 */
export function ifMatch(request: FastifyRequest): number {
  const text = request.headers['if-match'];
  if (text === undefined) throw new AppError('precondition_required', 'If-Match is missing');
  const version = /^(?:W\/)?"(\d{1,9})(?:\.[\w-]{1,43})?"$/.exec(text.trim())?.[1];
  if (version === undefined)
    throw badField('headers.if-match', {
      en: 'must be the ETag that the thing was read with, "3"',
      zh: '须为读取时得到的 ETag，如 "3"',
    });
  return Number(version);
}

/** Somebody saved first: the answer carries what is there now, as a GET would. */
export const staleEdit = (current: unknown): AppError =>
  new AppError('stale_edit', 'changed meanwhile', { details: { current } });
