import { existsSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import staticFiles from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from './errors.ts';

const START_PAGE = '200.html';
const IMMUTABLE = `${sep}_app${sep}immutable${sep}`;

/**
 * Serves the portal's static build: files as they are (compressed beforehand where the build did so), every other path
 * that a browser navigates to as the start page. Without a build only the API answers.
 */
export async function servePortal(app: FastifyInstance, portalDir: string | undefined): Promise<void> {
  const dir = portalDir && existsSync(join(portalDir, START_PAGE)) ? resolve(portalDir) : undefined;
  if (portalDir && !dir) app.log.warn({ portalDir }, 'no portal build there, serving the api only');
  if (dir) await serveFiles(app, dir);

  app.setNotFoundHandler((request, reply) => {
    if (!dir || !isNavigation(request))
      throw new AppError('not_found', `no route ${request.method} ${request.url}`);
    sendStartPage(reply);
  });
}

async function serveFiles(app: FastifyInstance, root: string): Promise<void> {
  await app.register(staticFiles, {
    root,
    serve: false,
    preCompressed: true,
    cacheControl: false,
    setHeaders(reply, path) {
      // Names under immutable/ carry a hash of their content; everything else is asked for again each time.
      const forever = path.includes(IMMUTABLE);
      reply.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  const options = { config: { permission: 'public' }, schema: { hide: true } };
  // Nothing is returned: a reply that is awaited while it streams gains a listener at each await.
  app.get('/', options, (_request, reply) => {
    sendStartPage(reply);
  });
  app.get<{ Params: { '*': string } }>('/*', options, (request, reply) => {
    // A missing file falls through to the not-found handler above.
    if (request.url.startsWith('/api/')) reply.callNotFound();
    else reply.sendFile(request.params['*']);
  });
}

const sendStartPage = (reply: FastifyReply): void => {
  reply.sendFile(START_PAGE);
};

/** A page of the portal, not a lost file or API call: those must stay 404 for whoever looks for them. */
const isNavigation = ({ method, url, headers }: FastifyRequest): boolean =>
  (method === 'GET' || method === 'HEAD') &&
  !/^\/(api|docs|_app)\//.test(url) &&
  (headers.accept ?? '').includes('text/html');
