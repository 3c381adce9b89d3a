import pino from 'pino';
import { apiPlugins } from './api.ts';
import { allPermissions, createPasswords, createSessionKeeper, strongPermissions } from './identity/index.ts';
import { createChangeHub } from './platform/changes.ts';
import { systemNow as now, systemWait as wait } from './platform/clock.ts';
import { createDb, createPool } from './platform/db.ts';
import { createApp } from './platform/http.ts';
import { newId } from './platform/ids.ts';
import { createSecrets } from './platform/secrets.ts';

/** The API's description as /openapi.json serves it, made without a database or a broker: routes are declared, none is called. */
export async function apiDocument(): Promise<object> {
  const log = pino({ enabled: false });
  const pool = createPool({ url: 'postgres://nobody@127.0.0.1:1/nothing' }); // Connects when it is asked something.
  const db = createDb(pool);
  const secondFactor = 'required' as const;
  const idle = { staffMs: 1, tenantMs: 1 };
  const keeper = createSessionKeeper({ db, now, newId, idle, maxMs: 1, https: false, secondFactor });
  const app = await createApp({
    log,
    authenticate: keeper.authenticate,
    permissions: allPermissions,
    strongPermissions,
  });
  const nats = new Promise<never>(() => undefined);
  const changes = createChangeHub({ pool, wait, log });
  const deps = {
    db,
    now,
    wait,
    portalUrl: 'http://127.0.0.1:8080',
    newId,
    passwords: createPasswords(),
    keeper,
    nats,
    changes,
    secondFactor,
    secrets: createSecrets(undefined),
    gatewayNatsUrl: 'nats://127.0.0.1:4222',
  };
  try {
    for (const plugin of apiPlugins(deps)) await app.register(plugin);
    await app.ready();
    return app.swagger();
  } finally {
    await app.close();
    await pool.end();
  }
}
