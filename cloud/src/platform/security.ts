import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyHelmetOptions } from '@fastify/helmet';
import type { FastifyRequest } from 'fastify';
import { AppError } from './errors.ts';

/** CSP sources for the inline scripts of the portal's start page: its loader cannot be a file, so its hash is allowed. */
export function inlineScriptHashes(portalDir: string | undefined): string[] {
  const page = portalDir && join(portalDir, '200.html');
  if (!page || !existsSync(page)) return [];
  const scripts = readFileSync(page, 'utf8').matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g);
  return [...scripts].map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
}

/** One policy for every answer. Styles are files: what Svelte sets at run time goes through the CSSOM, which CSP allows. */
export const securityHeaders = (options: {
  readonly scriptHashes: readonly string[];
  readonly https: boolean;
}): FastifyHelmetOptions => ({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'", ...options.scriptHashes],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      connectSrc: ["'self'"],
      objectSrc: ["'none'"],
      baseUri: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      ...(options.https && { upgradeInsecureRequests: [] }),
    },
  },
  strictTransportSecurity: options.https ? { maxAge: 31_536_000, includeSubDomains: true } : false,
  referrerPolicy: { policy: 'same-origin' },
  frameguard: { action: 'deny' },
  crossOriginEmbedderPolicy: false,
});

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses an unsafe method that another site's page sent. A browser always names the origin then; a program without a
 * page behind it sends none and carries no cookie of ours by accident.
 * @throws AppError 'foreign_origin'.
 */
export function refuseForeignOrigin(request: FastifyRequest, publicUrl: string | undefined): void {
  const { origin } = request.headers;
  if (SAFE.has(request.method) || origin === undefined) return;
  const ours = [publicUrl && new URL(publicUrl).host, request.headers.host];
  if (!URL.canParse(origin) || !ours.includes(new URL(origin).host))
    throw new AppError('foreign_origin', `origin ${origin} is not ours`);
}
