import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../platform/errors.ts';

/** Header in which a page of ours repeats the token of its session. */
export const CSRF_HEADER = 'x-csrf-token';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * The token that goes with a session: it can be made from the session's cookie only, so a page that cannot read ours
 * cannot plant one, and it tells nothing of the cookie. It changes with every new cookie.
 */
export const csrfTokenOf = (sessionToken: string): string =>
  createHmac('sha256', sessionToken).update('parkline csrf').digest('base64url');

/**
 * Refuses an unsafe method whose sender carries the session's cookie and does not know its token.
 * @throws AppError 'csrf_refused'.
 */
export function requireCsrfToken(request: FastifyRequest, sessionToken: string): void {
  if (SAFE.has(request.method)) return;
  const given = Buffer.from(String(request.headers[CSRF_HEADER] ?? ''));
  const wanted = Buffer.from(csrfTokenOf(sessionToken));
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw new AppError('csrf_refused', given.length === 0 ? 'no csrf token' : 'wrong csrf token');
}
