import { generateKeyPairSync } from 'node:crypto';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { runHealth } from '../../cloud/src/fleet/index.ts';
import { createTestApp, givenAccount, loggedIn } from '../../cloud/src/identity/testing.ts';
import { systemNow as now, systemWait as wait } from '../../cloud/src/platform/clock.ts';
import { createDb } from '../../cloud/src/platform/db.ts';
import { newId } from '../../cloud/src/platform/ids.ts';
import { createBroker } from '../../cloud/src/platform/nats.ts';
import { createSecrets } from '../../cloud/src/platform/secrets.ts';
import type { ClonedDatabase } from '../../cloud/src/platform/testing.ts';
import {
  claimRoutes,
  codeRoutes,
  configRoutes,
  gatewayRoutes,
  mappingRoutes,
  runDesk,
  runProvisioner,
} from '../../cloud/src/provisioning/index.ts';
import { readAuthorityKeys } from '../../cloud/src/provisioning/authority-keys.ts';
import { newAuthority, newIdentity, pinOf } from '../../cloud/src/provisioning/pki.ts';
import { createSigner } from '../../cloud/src/provisioning/signer.ts';
import { runIngest } from '../../cloud/src/telemetry/index.ts';
import { startNats, type TestNats } from './nats.ts';

/** A cloud to join: the API, ingest, the desk and the signer on a real database and message server. */
export interface ClaimedCloud {
  readonly nats: TestNats;
  readonly accountId: string;
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Calls the API as somebody of this role. @throws Error on a refusal, with its text. */
  call<T>(
    role: 'account_admin' | 'installer',
    method: 'GET' | 'POST',
    path: string,
    body?: object,
  ): Promise<T>;
  stop(): Promise<void>;
}

export async function startCloud(database: ClonedDatabase): Promise<ClaimedCloud> {
  const log = pino({ enabled: false });
  const stop = new AbortController();
  const nats = await startNats({ gateways: [] });
  const broker = createBroker({ access: { url: nats.url, credsDir: nats.credsDir }, log, wait });
  const keysDir = nats.trust.folders.provisioner;
  const system = createBroker({ access: { url: nats.url, credsDir: keysDir }, log, wait });
  const as = (user: string) => broker.as(user).connection;
  const { privateKey: signingKey } = generateKeyPairSync('ed25519');
  const pool = database.pool('parkline_ingest', 8);
  const shared = { pool, db: database.ingest, signingKey, now, wait, log };
  const [ingest, responder, commands] = await Promise.all([as('ingest'), as('responder'), as('commands')]);
  const provisioner = database.pool('parkline_provisioner');
  const signer = createSigner({
    ...readAuthorityKeys(keysDir),
    system: await system.as('provisioner').connection,
    now,
  });
  const running = Promise.all([
    runIngest({ ...shared, nats: ingest, responder }, stop.signal),
    runHealth({ ...shared, nats: ingest }, stop.signal),
    runDesk({ ...shared, nats: commands, responder, newId, secrets: createSecrets(undefined) }, stop.signal),
    runProvisioner({ ...shared, pool: provisioner, db: createDb(provisioner), signer }, stop.signal),
  ]);
  const app = await createTestApp(database.app);
  const routes = { db: database.app, now, newId, wait, gatewayNatsUrl: nats.url };
  for (const plugin of [claimRoutes, gatewayRoutes, codeRoutes, configRoutes, mappingRoutes])
    await app.register(plugin(routes));
  await app.listen({ port: 0, host: '127.0.0.1' });
  const accountId = await givenAccount(database.owner);
  const headers = {
    account_admin: await loggedIn(database.owner, accountId, ['account_admin']),
    installer: await loggedIn(database.owner, accountId, ['installer']),
  };
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  return {
    ...{ nats, accountId, url },
    async call<T>(role: keyof typeof headers, method: 'GET' | 'POST', path: string, body?: object) {
      const reply = await fetch(url + path, {
        method,
        headers: { ...headers[role], ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      });
      if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`);
      return (await reply.json()) as T;
    },
    async stop() {
      stop.abort();
      await running;
      await app.close();
      await Promise.all([broker.close(), system.close()]);
      await nats.stop();
    },
  };
}

/** Stands before a cloud with a certificate of its own; `hold` is asked for each request and each answer. */
export interface Front {
  readonly url: string;
  /** `sha256/...` of its key. */
  readonly pin: string;
  /** PEM of its authority. */
  readonly ca: string;
  stop(): void;
}

/** @param hold when it resolves to true, nothing more is sent on this connection. */
export async function startFront(
  target: string,
  hold: (path: string, what: 'request' | 'answer') => boolean = () => false,
): Promise<Front> {
  const authority = await newAuthority('Authority of a test', new Date());
  const server = await newIdentity(
    authority,
    'cloud',
    { kind: 'server', hosts: ['127.0.0.1', 'localhost'] },
    new Date(),
  );
  const handle = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const path = incoming.url ?? '';
    if (hold(path, 'request')) return;
    const { host: _host, ...headers } = incoming.headers;
    const onward = request(target + path, { method: incoming.method, headers }, (answer) => {
      if (hold(path, 'answer')) return void answer.resume();
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  };
  const listener = createTlsServer({ key: server.keyPem, cert: server.certificatePem }, handle);
  listener.listen(0, '127.0.0.1');
  while (!listener.listening) await sleep(5);
  return {
    url: `https://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    pin: `sha256/${pinOf(server.certificatePem)}`,
    ca: authority.certificatePem,
    stop: () => {
      listener.closeAllConnections();
      listener.close();
    },
  };
}
