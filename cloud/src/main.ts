// Composition root of the cloud: everything a process is made of, in start order. ROLE picks what one process runs.
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type pg from 'pg';
import type { Logger } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { apiPlugins } from './api.ts';
import { runCommandSender, runHealth } from './fleet/index.ts';
import {
  allPermissions,
  createAuthenticate,
  createPasswords,
  createRefusalNotes,
  createSessionKeeper,
  runRefusalNotes,
  runSessionSweep,
  strongPermissions,
} from './identity/index.ts';
import { runSeals } from './commissioning/index.ts';
import { createChangeHub } from './platform/changes.ts';
import { systemNow as now, systemWait as wait } from './platform/clock.ts';
import { type Config, loadConfig, natsAccess, oidcAllowHosts, portalUrl } from './platform/config.ts';
import { assertBoundByPolicies, createDb, createPool, type DbRole } from './platform/db.ts';
import { createFailpoints } from './platform/failpoints.ts';
import { createApp } from './platform/http.ts';
import { newId } from './platform/ids.ts';
import { orExit, type Part, runProcess } from './platform/lifecycle.ts';
import { createLog } from './platform/log.ts';
import { createMailer } from './platform/mail.ts';
import { type Broker, createBroker, type Nats } from './platform/nats.ts';
import { checkServers, SERVER_STATE_IN_CORE } from './platform/nats-server.ts';
import { createSecrets } from './platform/secrets.ts';
import { runDesk } from './provisioning/index.ts';
import { ingestFailpoints, runIngest } from './telemetry/index.ts';
import { releasePublicKeys, runUpdates } from './updates/index.ts';
import { runWorker, workerFailpoints } from './worker.ts';

interface Shared {
  readonly config: Config;
  readonly log: Logger;
  readonly broker: Broker;
  readonly metrics: Registry;
  readonly signal: AbortSignal;
}

/** A pool whose role is set at connect, unless the address is that of a restricted login. */
function poolFor({ config, log }: Shared, own: string | undefined, role: DbRole): pg.Pool {
  const url = own ?? config.DATABASE_URL ?? '';
  return createPool({ url, max: config.DATABASE_POOL, name: role, log, ...(!own && { role }) });
}

/** Jobs and rules need the database only. */
const readyChecks = (pool: pg.Pool, nats?: Nats) => ({
  database: async () => void (await pool.query('select 1')),
  ...(nats && {
    nats: async () => {
      if (!nats.isConnected()) throw new Error('not connected');
    },
  }),
});

async function startApi(shared: Shared): Promise<Part> {
  const { config, log, metrics, signal } = shared;
  const nats = shared.broker.as('api');
  const pool = poolFor(shared, config.API_DATABASE_URL, 'parkline_app');
  const db = createDb(pool, log);
  await assertBoundByPolicies(db);

  const idle = {
    staffMs: config.SESSION_IDLE_MIN * 60_000,
    tenantMs: config.SESSION_TENANT_IDLE_MIN * 60_000,
  };
  const maxMs = config.SESSION_MAX_DAYS * 86_400_000;
  const https = config.PUBLIC_URL?.startsWith('https:') ?? false;
  const { SECOND_FACTOR: secondFactor, PUBLIC_URL: publicUrl } = config;
  const keeper = createSessionKeeper({ db, now, newId, idle, maxMs, https, secondFactor });
  const refusals = createRefusalNotes({ db, now, log });
  const app = await createApp({
    log,
    authenticate: createAuthenticate({ db, now, keeper }),
    permissions: allPermissions,
    strongPermissions,
    ready: readyChecks(pool, nats),
    metrics,
    portalDir: config.PORTAL_DIR,
    publicUrl,
    trustProxy: config.TRUST_PROXY,
    ratePerS: config.API_RATE_PER_S,
    idempotency: { db, now },
    refusals,
  });
  const changes = createChangeHub({ pool, wait, log });
  const { SETUP_TOKEN_SHA256: setupTokenSha256 } = config;
  const secrets = createSecrets(config.SECRETS_KEY_FILE);
  const own = {
    db,
    now,
    wait,
    newId,
    passwords: createPasswords(),
    keeper,
    setupTokenSha256,
    secrets,
    secondFactor,
    publicUrl,
    portalUrl: portalUrl(config),
    releaseKeys: releaseKeys(config),
    gatewayNatsUrl: config.GATEWAY_NATS_URL ?? config.NATS_URL,
    oidcAllowHosts: oidcAllowHosts(config),
    allowPrivateWebhooks: config.WEBHOOK_ALLOW_PRIVATE,
    mailFolder: config.MAIL_URL ? undefined : config.MAIL_DIR,
  };
  for (const plugin of apiPlugins({ ...own, nats: nats.connection, changes })) await app.register(plugin);
  await app.listen({ port: config.PORT, host: config.HOST });
  const done = Promise.all([
    runSessionSweep({ db, now, wait, log, idle }, signal),
    runRefusalNotes({ notes: refusals, wait }, signal),
    changes.run(signal),
  ]);
  return { done, stop: () => closed(app, pool) };
}

/** Absent: only gateways check who signed a release. */
const releaseKeys = ({ RELEASE_PUBLIC_KEY_FILE: file }: Config) =>
  file === undefined ? undefined : releasePublicKeys(readFileSync(file, 'utf8'));

/** Kills as the kernel would, at the place that the fault suite names; of another role's places it takes no note. */
const killSelf = (): void => void process.kill(process.pid, 'SIGKILL');
const failpointOf = ({ PARKLINE_FAILPOINT: setting }: Config, known: readonly string[]) =>
  known.some((name) => setting?.startsWith(`${name}:`)) ? setting : undefined;

async function startIngest(shared: Shared): Promise<Part> {
  const { config, log, metrics, signal } = shared;
  const pool = poolFor(shared, config.INGEST_DATABASE_URL, 'parkline_ingest');
  const db = createDb(pool, log);
  await assertBoundByPolicies(db);
  const { broker } = shared;
  const app = config.roles.has('api') ? undefined : await startProbes(shared, pool, broker.as('ingest'));

  const as = (user: string) => broker.as(user).connection;
  const [nats, responder, commands] = await Promise.all([as('ingest'), as('responder'), as('commands')]);
  const isProduction = config.MODE === 'production';
  const checked = checkServers({ nats, subject: SERVER_STATE_IN_CORE, isProduction, log });
  if (isProduction) await checked; // Elsewhere it is told, and nobody waits for it.
  const signingKey = createPrivateKey(readFileSync(config.CLOUD_KEY_FILE ?? ''));
  const failpoint = createFailpoints(ingestFailpoints, failpointOf(config, ingestFailpoints), killSelf);
  const secrets = createSecrets(config.SECRETS_KEY_FILE);
  const ingest = {
    pool,
    nats,
    replicas: config.NATS_REPLICAS,
    responder,
    signingKey,
    now,
    wait,
    log,
    metrics,
    failpoint,
  };
  const done = Promise.all([
    runIngest(ingest, signal),
    runHealth({ db, nats, now, log }, signal),
    runCommandSender({ ...ingest, nats: commands, db }, signal),
    runSeals({ ...ingest, db }, signal),
    runUpdates({ ...ingest, commands, db }, signal),
    runDesk({ ...ingest, nats: commands, responder, db, newId, secrets }, signal),
  ]);
  return { done, stop: () => closed(app, pool) };
}

async function startWorker(shared: Shared): Promise<Part> {
  const { config, log, metrics, signal } = shared;
  const pool = poolFor(shared, config.WORKER_DATABASE_URL, 'parkline_worker');
  const db = createDb(pool, log);
  await assertBoundByPolicies(db);
  const isAlone = config.roles.size === 1; // Else another role answers probes.
  const app = isAlone ? await startProbes(shared, pool) : undefined;
  const failpoint = failpointOf(config, workerFailpoints);
  const keep = { auditDays: config.AUDIT_KEEP_DAYS, eventDays: config.GATEWAY_REPORTS_KEEP_DAYS };
  const { MAIL_URL: url, MAIL_DIR: dir, MAIL_FROM: from } = config;
  const letters = { mailer: createMailer({ url, dir, from, now, newId, log }), publicUrl: portalUrl(config) };
  const worker = {
    pool,
    db,
    now,
    wait,
    newId,
    log,
    metrics,
    failpoint,
    crash: killSelf,
    keep,
    ...letters,
    secrets: createSecrets(config.SECRETS_KEY_FILE),
    allowPrivateWebhooks: config.WEBHOOK_ALLOW_PRIVATE,
  };
  const done = runWorker(worker, signal);
  return { done, stop: () => closed(app, pool) };
}

/** Loaded where it runs: no other process holds the code that signs. */
async function startProvisioner(shared: Shared): Promise<Part> {
  const { config, log, metrics, signal } = shared;
  const { runProvisionerProcess } = await import('./provisioner.ts');
  const pool = poolFor(shared, config.PROVISIONER_DATABASE_URL, 'parkline_provisioner');
  const db = createDb(pool, log);
  await assertBoundByPolicies(db);
  const app = await startProbes(shared, pool);
  const isProduction = config.MODE === 'production';
  const own = { keysDir: config.PROVISIONER_DIR ?? '', access: natsAccess(config), isProduction };
  const done = runProvisionerProcess({ pool, db, now, wait, log, metrics, ...own }, signal);
  return { done, stop: () => closed(app, pool) };
}

async function startProbes({ config, log, metrics }: Shared, pool: pg.Pool, nats?: Nats) {
  if (config.METRICS_PORT === undefined) return undefined;
  const nobody = () => Promise.resolve(undefined);
  const ready = readyChecks(pool, nats);
  const app = await createApp({ log, authenticate: nobody, permissions: new Set(), ready, metrics });
  await app.listen({ port: config.METRICS_PORT, host: config.HOST });
  return app;
}

/** Refuses new requests, waits for running ones, then lets go of the database. */
async function closed(app: FastifyInstance | undefined, pool: pg.Pool): Promise<void> {
  await app?.close();
  await pool.end();
}

async function start(config: Config, log: Logger, signal: AbortSignal): Promise<Part[]> {
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const broker = createBroker({ access: natsAccess(config), log, wait });
  const shared: Shared = { config, log, broker, metrics, signal };
  const parts: Part[] = [{ done: Promise.resolve(), stop: () => broker.close() }];
  if (config.roles.has('api')) parts.push(await startApi(shared));
  if (config.roles.has('ingest')) parts.push(await startIngest(shared));
  if (config.roles.has('worker')) parts.push(await startWorker(shared));
  if (config.roles.has('provisioner')) parts.push(await startProvisioner(shared));
  return parts;
}

const config = orExit(() => loadConfig(process.env));
orExit(() =>
  createFailpoints([...ingestFailpoints, ...workerFailpoints], config.PARKLINE_FAILPOINT, killSelf),
);
const log = createLog(config.LOG_LEVEL);
await runProcess(log, (signal) => start(config, log, signal));
