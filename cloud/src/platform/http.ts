import { randomUUID } from 'node:crypto';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { ErrorReply } from '@parkline/contract';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RouteOptions,
} from 'fastify';
import { Registry } from 'prom-client';
import { type Person, admit, requirePermission } from './access.ts';
import type { Now } from './clock.ts';
import { isCollision } from './collision.ts';
import type { Db } from './db.ts';
import { AppError, type ErrorCode, statusOf } from './errors.ts';
import { addEtags } from './etags.ts';
import { errorTexts, inLanguage, languageOf } from './i18n.ts';
import { addIdempotency } from './idempotency.ts';
import { documentApi } from './openapi-routes.ts';
import { pageWholeLists, takePage } from './pages.ts';
import { servePortal } from './portal.ts';
import { probeRoutes, type ReadyChecks } from './probes.ts';
import { noteRefusals, type RefusalNotes } from './refusals.ts';
import { requireFreshness } from './second-factor.ts';
import { inlineScriptHashes, refuseForeignOrigin, securityHeaders } from './security.ts';
import { closeSchemas, compileValidator, detailsIn } from './validation.ts';
import { demandVersions } from './versions.ts';

export interface AppDeps {
  readonly log: FastifyBaseLogger;
  /** Who a request comes from; undefined: nobody we know. */
  readonly authenticate: (request: FastifyRequest) => Promise<Person | undefined>;
  /** Every permission that some role grants: a route asking for another is a typing mistake. */
  readonly permissions: ReadonlySet<string>;
  /** Those whose use needs a fresh second factor. */
  readonly strongPermissions?: ReadonlySet<string>;
  readonly ready?: ReadyChecks;
  readonly metrics?: Registry;
  readonly portalDir?: string | undefined;
  readonly publicUrl?: string | undefined;
  readonly trustProxy?: boolean;
  /** API requests a second and tenant, or account for its staff (or address, before login); a key may make half of them. */
  readonly ratePerS?: number;
  /** As parkline_app: where requests with an Idempotency-Key are noted. Without it the header is not looked at. */
  readonly idempotency?: { readonly db: Db; readonly now: Now };
  /** Where it is noted who was refused what. Without it nothing is. */
  readonly refusals?: RefusalNotes;
}

/** The HTTP server without a port: register the slices' routes on it, then `listen` or `inject`. */
export async function createApp(deps: AppDeps): Promise<FastifyInstance> {
  const https = deps.publicUrl?.startsWith('https:') ?? false;
  const app = fastify({
    loggerInstance: deps.log,
    // The portal polls: what went well is worth a line at debug only.
    logController: new LogController({ disableRequestLogging: true }),
    // Of X-Forwarded-For the address that our proxy saw, the last: those before it are what the sender said.
    trustProxy: deps.trustProxy ? (_address, hops) => hops === 0 : false,
    bodyLimit: 1024 * 1024,
    genReqId: () => randomUUID(),
    forceCloseConnections: true, // Live streams never end by themselves.
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 200 },
    // What is refused before there is a route passes no hook.
    frameworkErrors: (error, request, reply) => {
      request.language = languageOf(request.headers['accept-language']);
      sendError(error, request, reply);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(compileValidator);
  app.setErrorHandler(sendError);

  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    takePage(route);
    closeSchemas(route);
    routes.push(route);
  });
  // Looked at when all are there, because a scope may give its routes their permission after this hook.
  app.addHook('onReady', () => {
    for (const route of routes) {
      requirePermission(route, deps.permissions);
      requireFreshness(route, deps.strongPermissions ?? new Set());
    }
    return Promise.resolve();
  });
  await app.register(helmet, securityHeaders({ scriptHashes: inlineScriptHashes(deps.portalDir), https }));
  await app.register(cookie);
  addAccessHooks(app, deps);
  const ratePerS = deps.ratePerS ?? 100;
  await app.register(rateLimit, {
    hook: 'preValidation', // After the access hook: the account is the key.
    max: ratePerS,
    timeWindow: 1_000,
    // A tenant's own share: it must not keep the operator's staff, or another tenant, from their work.
    keyGenerator: ({ actor, ip }) => (actor ? (actor.tenantId ?? actor.accountId) : ip),
    allowList: (request) => !isApi(request),
    errorResponseBuilder: (_request, { ttl }) => tooMany(ttl),
  });
  limitKeys(app, Math.ceil(ratePerS / 2));
  if (deps.refusals) noteRefusals(app, deps.refusals);
  if (deps.idempotency) addIdempotency(app, deps.idempotency);
  demandVersions(app);
  pageWholeLists(app);
  addEtags(app);
  await documentApi(app, deps.publicUrl);
  probeRoutes(app, deps.ready ?? {}, deps.metrics ?? new Registry());
  await servePortal(app, deps.portalDir);
  return app;
}

const tooMany = (ttlMs: number): AppError =>
  new AppError('too_many_requests', 'rate limit', { retryAfterS: Math.max(1, Math.ceil(ttlMs / 1_000)) });

/** One program in haste leaves room for the people of its account, and for other programs. */
function limitKeys(app: FastifyInstance, max: number): void {
  const check = app.createRateLimit({
    max,
    timeWindow: 1_000,
    keyGenerator: ({ actor }) => `key ${actor?.apiKeyId}`,
  });
  app.addHook('preValidation', async (request) => {
    if (!request.actor?.apiKeyId) return;
    const limit = await check(request);
    if (!limit.isAllowed && limit.isExceeded) throw tooMany(limit.ttl);
  });
}

function addAccessHooks(app: FastifyInstance, { authenticate, publicUrl }: AppDeps): void {
  app.decorateRequest('actor', null);
  app.decorateRequest('person', null);
  app.decorateRequest('refused', null);
  app.decorateRequest('language', 'en');
  app.addHook('onRequest', async (request, reply) => {
    request.language = languageOf(request.headers['accept-language']);
    reply.header('x-request-id', request.id);
    if (isApi(request)) reply.header('cache-control', 'no-store').header('vary', 'accept-language');
    if (request.is404) return;
    refuseForeignOrigin(request, publicUrl);
    const { config } = request.routeOptions;
    if (config.permission === 'public') return;
    const person = await authenticate(request);
    request.person = person ?? null;
    request.actor = admit(person, config);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, url } = request;
    request.log.debug(
      { method, url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      'request served',
    );
  });
}

/** By its route: the address as it was sent may spell the same in another way (`/%61pi/`). */
const isApi = ({ routeOptions }: FastifyRequest): boolean => routeOptions.url?.startsWith('/api/') ?? false;

/** The one border where an error becomes an answer. What the client did not cause is logged and told nothing. */
function sendError(cause: unknown, request: FastifyRequest, reply: FastifyReply) {
  const error = asAppError(cause);
  const status = statusOf[error.code];
  request.refused = error;
  if (status >= 500) request.log.error({ err: cause }, 'request failed');
  else
    request.log[worthKnowing.has(error.code) ? 'info' : 'debug'](
      { code: error.code, why: error.message, ip: request.ip },
      'request refused',
    );
  if (error.retryAfterS !== undefined) reply.header('retry-after', String(error.retryAfterS));
  const body: ErrorReply = {
    code: error.code,
    message: inLanguage(errorTexts[error.code], request.language),
    ...(error.details !== undefined && { details: detailsIn(error.details, request.language) }),
  };
  return reply.code(status).header('cache-control', 'no-store').send(body);
}

/** Refusals that show somebody trying doors. */
const worthKnowing: ReadonlySet<ErrorCode> = new Set([
  'login_refused',
  'forbidden',
  'foreign_origin',
  'csrf_refused',
  'setup_refused',
  'too_many_requests',
]);

/** Fastify's own refusals (broken JSON, wrong content type, too large) carry a status; anything else is our bug. */
function asAppError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  if (isCollision(cause))
    return new AppError('busy', 'others changed the same, twice', { cause, retryAfterS: 1 });
  const status = (cause as { statusCode?: unknown } | null)?.statusCode;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = typeof status === 'number' ? fastifyCodes[status] : undefined;
  return new AppError(code ?? 'internal', message, { cause });
}

const fastifyCodes: Readonly<Record<number, ErrorCode>> = {
  400: 'bad_input',
  403: 'not_found', // A path that leads out of the portal's folder.
  404: 'not_found',
  413: 'too_large',
  414: 'not_found', // A name longer than any of ours.
  415: 'unsupported_media',
  429: 'too_many_requests',
};
