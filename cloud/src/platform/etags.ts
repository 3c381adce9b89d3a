import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

/**
 * Names what every GET of the API answers (RFC 9110 clause 8.8.3), and answers 304 to who has it already. The version of
 * a thing that is edited stays in front, `"3.x1Y2"`: If-Match asks for it, while the rest of the answer may change without
 * an edit (a name's language, whether a gateway is online).
 */
export function addEtags(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead || reply.statusCode !== 200 || typeof payload !== 'string') return done(null, payload);
    if (!request.routeOptions.url?.startsWith('/api/')) return done(null, payload);
    const hash = createHash('sha256').update(payload).digest('base64url').slice(0, 16);
    const version = /^"(\d+)"$/.exec(String(reply.getHeader('etag') ?? ''))?.[1];
    const tag = version ? `"${version}.${hash}"` : `"${hash}"`;
    reply.header('etag', tag);
    if (!isKnown(request.headers['if-none-match'], tag)) return done(null, payload);
    reply.code(304).removeHeader('content-type').removeHeader('content-length');
    return done(null, '');
  });
}

/** Weak comparison (RFC 9110 clause 13.1.2). */
const isKnown = (header: string | undefined, tag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === tag));
