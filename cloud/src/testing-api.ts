import { mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { apiPlugins } from './api.ts';
import { allPermissions, createAuthenticate, createPasswords, strongPermissions } from './identity/index.ts';
import { testKeeper } from './identity/testing.ts';
import { createChangeHub } from './platform/changes.ts';
import { systemWait as wait } from './platform/clock.ts';
import { createDb } from './platform/db.ts';
import { type AppDeps, createApp } from './platform/http.ts';
import { newId } from './platform/ids.ts';
import { createSecrets, newKeyLine } from './platform/secrets.ts';
import type { ClonedDatabase } from './platform/testing.ts';

/** The whole API on a port of its own. Whoever serves it closes `app`. */
export interface ServedApi {
  readonly app: FastifyInstance;
  /** 'http://127.0.0.1:<port>', without a slash at the end. */
  readonly url: string;
  /** 'GET /api/things/:id' and so on, as they were registered. */
  readonly routes: readonly string[];
}

/** A sealing key of its own; the folder goes with the machine's temporary ones. */
function keyFile(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'parkline-api-')), 'keys');
  writeFileSync(file, newKeyLine('test'), { mode: 0o600 });
  return file;
}

/** Serves every route on a database, as the API's role on three connections and with no broker: live values never come. */
export async function serveApi(
  { pool }: Pick<ClonedDatabase, 'pool'>,
  over: Partial<AppDeps> = {},
): Promise<ServedApi> {
  const appPool = pool('parkline_app', 3);
  const db = createDb(appPool);
  const log = pino({ enabled: false });
  const now = () => new Date();
  const keeper = testKeeper(db, { https: over.publicUrl?.startsWith('https:') ?? false });
  const app = await createApp({
    log,
    authenticate: createAuthenticate({ db, now, keeper }),
    permissions: allPermissions,
    strongPermissions,
    ratePerS: 10_000,
    idempotency: { db, now },
    ...over,
  });
  const routes: string[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    if (method !== 'HEAD') routes.push(`${String(method)} ${url}`);
  });
  for (const plugin of apiPlugins({
    ...{ db, now, wait, newId, keeper },
    passwords: createPasswords(),
    nats: new Promise<never>(() => undefined),
    changes: createChangeHub({ pool: appPool, wait, log }),
    secrets: createSecrets(keyFile()),
    secondFactor: 'required',
    publicUrl: over.publicUrl,
    portalUrl: over.publicUrl ?? 'http://127.0.0.1:8080',
    gatewayNatsUrl: 'nats://127.0.0.1:4222',
  }))
    await app.register(plugin);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { app, routes, url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` };
}
