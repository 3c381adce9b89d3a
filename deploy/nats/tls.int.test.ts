import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as dialTls } from 'node:tls';
import { createUser } from '@nats-io/nkeys';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { subjects } from '@parkline/contract';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectionOptions } from '../../cloud/src/platform/nats.ts';
import { readAuthorityKeys } from '../../cloud/src/provisioning/authority-keys.ts';
import { newIdentity } from '../../cloud/src/provisioning/pki.ts';
import { createSigner } from '../../cloud/src/provisioning/signer.ts';
import { openUplink } from '../../cloud/src/telemetry/uplink-stream.ts';
import { systemClock, systemWait } from '../../edge/src/base/clock.ts';
import { createFaultLog } from '../../edge/src/base/fault-log.ts';
import { assertStored, createLink } from '../../edge/src/link.ts';
import {
  accessOptions,
  connectFailure,
  readNatsCredentials,
  tlsFilesOf,
} from '../../edge/src/nats-access.ts';
import { startNats, type TestNats } from '../../tests/support/nats.ts';
import { foreignAuthority, type Oddity, withTls, writeIdentity } from '../../tests/support/nats-tls.ts';
import type { TlsFiles } from './render.ts';

const gatewayId = '0198c0de-0000-7000-8000-000000000001';
const DAY_MS = 86_400_000;
const past = new Date(Date.now() - 3 * DAY_MS);
const user = createUser();

let folder: string;
let server: TestNats;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parkline-tls-'));
  const gateways = [{ id: gatewayId, publicNkey: user.getPublicKey() }];
  server = await startNats({ gateways, change: withTls(['127.0.0.1']) });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Connects as the gateway does, once. Rejects with what the person at the gateway reads. */
async function enter(url: string, tls: TlsFiles | undefined): Promise<NatsConnection> {
  const jwt = server.gatewayJwts.get(gatewayId) ?? '';
  const credentials = () => ({ seed: user.getSeed(), jwt });
  try {
    return await connect({
      ...accessOptions({ url, gatewayId, credentials, tls }),
      reconnect: false,
      timeout: 5_000,
    });
  } catch (error) {
    throw new Error(connectFailure(error), { cause: error });
  }
}

async function client(name: string, oddity: Oddity & { readonly believes?: string } = {}): Promise<TlsFiles> {
  const { authority = server.trust.authority, from = new Date(), lifeMs, believes } = oddity;
  const identity = await newIdentity(authority, gatewayId, { kind: 'client' }, from, lifeMs);
  return writeIdentity(join(folder, name), identity, believes ?? server.trust.authority.certificatePem);
}

test('a gateway with the certificate of the park gets in, over TLS 1.3', async () => {
  const nats = await enter(server.url, await client('good'));
  expect(nats.info?.tls_required).toBe(true);
  await nats.close();
});

describe.concurrent('nobody gets in', () => {
  test.each([
    [
      'with a certificate of another authority',
      async () => client('foreign', { authority: await foreignAuthority() }),
      /certificate/,
    ],
    [
      'with a certificate past its date',
      () => client('old', { from: past, lifeMs: DAY_MS }),
      /certificate|out of its time/,
    ],
    [
      'with a certificate before its date',
      () => client('young', { from: new Date(Date.now() + DAY_MS) }),
      /certificate/,
    ],
    [
      'who believes another authority than the server has',
      async () => client('misled', { believes: (await foreignAuthority()).certificatePem }),
      /authority that the other side does not believe/,
    ],
  ] as const)('%s', async (_what, files, words) => {
    await expect(enter(server.url, await files())).rejects.toThrow(words);
  });

  test('by another name than the certificate of the server says', async ({ expect }) => {
    const url = server.url.replace('127.0.0.1', 'localhost');
    await expect(enter(url, await client('named'))).rejects.toThrow(/is for another name/);
  });

  test('in plain text; the person at the gateway reads what to change', async ({ expect }) => {
    const url = server.url.replace('tls:', 'nats:');
    await expect(enter(url, undefined)).rejects.toThrow(/expects TLS from the first byte; write tls:\/\//);
  });

  test('by a plain connection, which learns nothing', async ({ expect }) => {
    const { hostname, port } = new URL(server.url);
    const socket = dial({ host: hostname, port: Number(port) });
    let bytes = 0;
    socket.on('data', (data) => (bytes += data.length)).on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(bytes).toBe(0);
  });

  test('by TLS 1.2', async ({ expect }) => {
    const { caFile, certFile, keyFile } = await client('tls12');
    const [ca, cert, key] = await Promise.all(
      [caFile, certFile, keyFile].map((file) => readFile(file, 'utf8')),
    );
    const { hostname: host, port } = new URL(server.url);
    const socket = dialTls({ host, port: Number(port), ...{ ca, cert, key }, maxVersion: 'TLSv1.2' });
    const failure = await new Promise<Error>((resolve) => socket.once('error', resolve));
    expect(String(failure)).toMatch(/protocol version/);
  });

  test('to a server whose own certificate is past its date', async ({ expect }) => {
    const late = await startNats({
      gateways: [],
      change: withTls(['127.0.0.1'], { from: past, lifeMs: DAY_MS }),
    });
    const { caFile } = await writeIdentity(
      join(folder, 'late'),
      late.trust.authority,
      late.trust.authority.certificatePem,
    );
    try {
      await expect(enter(late.url, { ...(await client('late-client')), caFile })).rejects.toThrow(
        /out of its time/,
      );
    } finally {
      await late.stop();
    }
  });
});

test('credentials are renewed at half of their life while messages flow, and none is lost or doubled', async () => {
  const home = join(folder, 'home');
  const files = await client('renewed');
  const core = await connect({
    ...connectionOptions({ url: server.url, credsDir: server.credsDir, ...files }, 'ingest'),
    reconnect: false,
  });
  const system = await connect(
    connectionOptions(
      { url: server.url, credsDir: server.trust.folders.provisioner, ...files },
      'provisioner',
    ),
  );
  const consumer = await openUplink(core);
  const signer = createSigner({
    ...readAuthorityKeys(server.trust.folders.provisioner),
    system,
    now: () => new Date(),
  });
  const tls = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const identity = {
    id: gatewayId,
    nkey: user.getPublicKey(),
    tlsPublicKeyPem: tls.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
  const claim = async (at: Date): Promise<void> => {
    const { jwt, certificatePem, caPem } = await signer.issue(identity, at);
    const keyPem = tls.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writeIdentity(join(home, 'keys'), { keyPem, certificatePem }, caPem);
    await writeFile(join(home, 'keys/nats.nk'), user.getSeed());
    await writeFile(join(home, 'keys/nats.jwt'), jwt);
  };
  // Half of the thirty days have passed.
  await claim(new Date(Date.now() - 15 * DAY_MS));
  const stop = new AbortController();
  const link = createLink({
    ...{ url: server.url, gatewayId, tls: tlsFilesOf(home), credentials: () => readNatsCredentials(home) },
    ...{ subscriptions: {}, onChange: () => undefined, wait: systemWait },
    faults: createFaultLog(pino({ enabled: false }), systemClock),
  });
  const running = link.run(stop.signal);
  const sent: string[] = [];
  for (let n = 0; n < 60; n += 1) {
    if (n === 20) {
      await claim(new Date());
      link.renew();
    }
    for (;;) {
      try {
        assertStored(
          await link.request(subjects.uplink(gatewayId), Buffer.from(`m${n}`), {
            messageId: `id-${n}`,
            timeoutMs: 2_000,
          }),
        );
        break;
      } catch {
        await sleep(20); // As the outbox does: what was not acknowledged goes again under the same id.
      }
    }
    sent.push(`m${n}`);
  }
  expect(link.generation()).toBeGreaterThan(1);
  stop.abort();
  await running;
  const stored: string[] = [];
  for await (const message of await consumer.fetch({ max_messages: sent.length, expires: 5_000 })) {
    stored.push(message.string());
    message.ack();
  }
  expect(stored).toEqual(sent);
  expect((await consumer.info()).num_pending).toBe(0);
  await Promise.all([core.close(), system.close()]);
});
