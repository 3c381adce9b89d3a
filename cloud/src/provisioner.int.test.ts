import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createUser } from '@nats-io/nkeys';
import { connect, jwtAuthenticator } from '@nats-io/transport-node';
import pino from 'pino';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { startNats } from '../../tests/support/nats.ts';
import { givenFleet } from './fleet/testing.ts';
import { givenAccount } from './identity/testing.ts';
import { systemNow as now, systemWait as wait } from './platform/clock.ts';
import { createDb, withAccount } from './platform/db.ts';
import { newId } from './platform/ids.ts';
import { connectionOptions } from './platform/nats.ts';
import { clonedDatabase } from './platform/testing.ts';
import { runProvisionerProcess } from './provisioner.ts';
import { readAuthorityKeys } from './provisioning/authority-keys.ts';
import { credentials } from './provisioning/credentials.ts';
import { administered } from './provisioning/gateway-repository.ts';
import { createSigner } from './provisioning/signer.ts';

const database = await clonedDatabase();
const { owner } = database;
const lines: Record<string, unknown>[] = [];
const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
const metrics = new Registry();

async function eventually<T>(look: () => Promise<T | undefined>, ms = 30_000): Promise<T> {
  for (const end = Date.now() + ms; ; await sleep(25)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error('did not come true in time');
  }
}

const spki = (kind: 'ec' | 'ed25519'): string =>
  (kind === 'ec'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('ed25519')
  ).publicKey
    .export({ type: 'spki', format: 'pem' })
    .toString();

test('the process signs for keys that were proven, and throws out what was revoked here or is held as such', async () => {
  const server = await startNats({ gateways: [] });
  const accountId = await givenAccount(owner);
  const [gatewayId = '', otherId = ''] = (await givenFleet(owner, accountId)).map((one) => one.id);
  const [user, id] = [createUser(), newId()];
  const restored = createUser().getPublicKey();
  const keysDir = server.trust.folders.provisioner;
  const system = await connect(connectionOptions({ url: server.url, credsDir: keysDir }, 'provisioner'));
  await createSigner({ ...readAuthorityKeys(keysDir), system, now }).revoke(new Map([[restored, now()]]));
  await system.close();
  await withAccount(owner, accountId, (trx) =>
    credentials.add(trx, {
      ...{ id: newId(), accountId, gatewayId: otherId, nkey: restored, codeId: null, createdAt: now() },
      ...{ signingKey: spki('ed25519'), tlsKey: spki('ec') },
    }),
  );
  const [stop, pool] = [new AbortController(), database.pool('parkline_provisioner')];
  const running = runProvisionerProcess(
    {
      ...{ pool, db: createDb(pool), now, wait, log, metrics, isProduction: true },
      ...{ access: { url: server.url }, keysDir },
    },
    stop.signal,
  );
  try {
    // As after a restore: the server holds a key as thrown out that the database believes.
    await eventually(async () => {
      const gateway = await withAccount(owner, accountId, (trx) =>
        administered.find(trx, accountId, otherId),
      );
      return gateway?.revokedAt ?? undefined;
    });
    const keys = { nkey: user.getPublicKey(), signingKey: spki('ed25519'), tlsKey: spki('ec') };
    await withAccount(owner, accountId, (trx) =>
      credentials.add(trx, { id, accountId, gatewayId, ...keys, codeId: null, createdAt: now() }),
    );
    const jwt = await eventually(async () => {
      const row = await withAccount(owner, accountId, (trx) =>
        credentials.current(trx, accountId, gatewayId),
      );
      return row?.jwt ?? undefined;
    });
    const authenticator = jwtAuthenticator(jwt, user.getSeed());
    const gateway = await connect({ servers: server.url, authenticator, reconnect: false });

    await withAccount(owner, accountId, (trx) => credentials.revoke(trx, accountId, gatewayId, now()));
    await eventually(async () => gateway.isClosed() || undefined);
    const knock = () => connect({ servers: server.url, authenticator, reconnect: false });
    for (let i = 0; i < 3; i += 1) await expect(knock()).rejects.toThrow(/authorization/i);
    // Whoever goes on knocking is counted each time, and said once.
    const counter = 'parkline_nats_refused_logins_total';
    const counted = async () => (await metrics.getSingleMetric(counter)?.get())?.values[0]?.value ?? 0;
    await eventually(async () => (await counted()) >= 3 || undefined);
    const said = lines.filter(({ msg }) => msg === 'message server refused a login');
    expect(said).toMatchObject([{ ip: '127.0.0.1', user: keys.nkey, unsaid: 0 }]);
  } finally {
    stop.abort();
    await running;
    await server.stop();
  }
});
