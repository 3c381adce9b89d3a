import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createUser } from '@nats-io/nkeys';
import { connect, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startNats, type TestNats } from '../../../tests/support/nats.ts';
import { connectionOptions } from '../platform/nats.ts';
import {
  checkServers,
  SERVER_STATE,
  SERVER_STATE_IN_CORE,
  UnsafeServerError,
} from '../platform/nats-server.ts';
import {
  edgeAccountJwt,
  expiryOf,
  firstEdgeAccountJwt,
  newOfflineSeeds,
  newOnlineSeeds,
  partiesOf,
} from './authority.ts';
import { readAuthorityKeys } from './authority-keys.ts';
import { createSigner, type Signer, type SystemConnection } from './signer.ts';

const id = '0198c0de-0000-7000-8000-000000000001';
const tls = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const tlsPublicKeyPem = tls.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const silent = { warn: () => undefined } as never;

let server: TestNats;
let system: NatsConnection;
let signer: Signer;
beforeAll(async () => {
  server = await startNats({ gateways: [] });
  const keysDir = server.trust.folders.provisioner;
  system = await connect(connectionOptions({ url: server.url, credsDir: keysDir }, 'provisioner'));
  signer = createSigner({ ...readAuthorityKeys(keysDir), system, now: () => new Date() });
});
afterAll(async () => {
  await system.close();
  await server.stop();
});

async function enter(jwt: string, seed: Uint8Array): Promise<NatsConnection> {
  return connect({ servers: server.url, authenticator: jwtAuthenticator(jwt, seed), reconnect: false });
}

async function eventually(check: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; !(await check()); await sleep(5))
    if (Date.now() > end) throw new Error('did not come true in time');
}

/** The client drops what is asked between two connections: true once this one has been to the restarted server and back. */
const isBack = (): Promise<boolean> =>
  system.rtt().then(
    () => true,
    () => false,
  );

/** Credentials of a second later than `at`: the server counts whole seconds. */
const untilNextSecond = (at: Date): Promise<unknown> =>
  sleep(Math.max(0, (Math.floor(at.getTime() / 1_000) + 1) * 1_000 + 20 - Date.now()));

test('what is signed lets a gateway in, for thirty days, with a certificate of a year', async () => {
  const user = createUser();
  const now = new Date();
  const issued = await signer.issue({ id, nkey: user.getPublicKey(), tlsPublicKeyPem }, now);
  await (await enter(issued.jwt, user.getSeed())).close();
  expect(issued.expiresAt.getTime()).toBe(now.getTime() + 30 * 86_400_000);
  expect(expiryOf(issued.jwt)?.getTime()).toBe(Math.floor(issued.expiresAt.getTime() / 1_000) * 1_000);
  const certificate = new X509Certificate(issued.certificatePem);
  expect(certificate.checkPrivateKey(tls.privateKey)).toBe(true);
  expect(certificate.checkIssued(new X509Certificate(issued.caPem))).toBe(true);
  expect(certificate.verify(new X509Certificate(issued.caPem).publicKey)).toBe(true);
  expect(certificate.validToDate.getTime() - now.getTime()).toBeGreaterThan(364 * 86_400_000);
});

test.each([
  ['an id with a wildcard', { id: '*' }],
  ['an id with a dot', { id: 'a.b' }],
  ['a key of an account', { nkey: 'AAAA' }],
  ['a broken key', { nkey: 'UAAAA' }],
  ['a key that is none', { tlsPublicKeyPem: 'x' }],
  [
    'an RSA key',
    {
      tlsPublicKeyPem: generateKeyPairSync('rsa', { modulusLength: 2048 })
        .publicKey.export({ type: 'spki', format: 'pem' })
        .toString(),
    },
  ],
])('nothing is signed for %s', async (_what, over) => {
  const gateway = { id, nkey: createUser().getPublicKey(), tlsPublicKeyPem, ...over };
  await expect(signer.issue(gateway, new Date())).rejects.toThrow(RangeError);
});

describe('a gateway that is thrown out', () => {
  const user = createUser();
  const issue = () => signer.issue({ id, nkey: user.getPublicKey(), tlsPublicKeyPem }, new Date());
  let old: string;
  let revokedAt: Date;

  test('is cut off at once and refused afterwards, and no other is', async () => {
    const other = createUser();
    const identity = {
      id: '0198c0de-0000-7000-8000-000000000002',
      nkey: other.getPublicKey(),
      tlsPublicKeyPem,
    };
    old = (await issue()).jwt;
    const gateway = await enter(old, user.getSeed());
    const bystander = await enter((await signer.issue(identity, new Date())).jwt, other.getSeed());
    revokedAt = new Date();
    await signer.revoke(new Map([[user.getPublicKey(), revokedAt]]));
    await eventually(() => gateway.isClosed());
    await expect(enter(old, user.getSeed())).rejects.toThrow(/authorization/i);
    await bystander.flush();
    expect(bystander.isClosed()).toBe(false);
    await bystander.close();
  });

  test('stays out over kill -9 of the server', async () => {
    await server.kill();
    await server.restart();
    await expect(enter(old, user.getSeed())).rejects.toThrow(/authorization/i);
  });

  test('is let in again by what is signed a second later', async () => {
    await untilNextSecond(revokedAt);
    await (await enter((await issue()).jwt, user.getSeed())).close();
    await expect(enter(old, user.getSeed())).rejects.toThrow(/authorization/i);
  });

  test('whose credentials are past their date anyway is left out of the list', async () => {
    await eventually(isBack);
    const long = new Date(Date.now() - 31 * 86_400_000);
    await signer.revoke(new Map([[user.getPublicKey(), long]]));
    await (await enter(old, user.getSeed())).close();
  });

  test('stays on the list of the server when whoever tells it anew has forgotten', async () => {
    const at = new Date();
    await signer.revoke(new Map([[user.getPublicKey(), at]]));
    const second = new Date(Math.floor(at.getTime() / 1_000) * 1_000);
    expect(await signer.held()).toEqual(new Map([[user.getPublicKey(), second]]));
    await signer.revoke(new Map());
    expect(await signer.held()).toEqual(new Map([[user.getPublicKey(), second]]));
    await expect(enter(old, user.getSeed())).rejects.toThrow(/authorization/i);
  });
});

test('a list of revoked gateways of the first second is younger than what an empty server starts with', async () => {
  const [offline, online] = [newOfflineSeeds(), newOnlineSeeds()];
  const parties = partiesOf(offline, online);
  const bornAt = async (made: Promise<string>): Promise<number> =>
    (JSON.parse(Buffer.from((await made).split('.')[1] ?? '', 'base64url').toString()) as { iat: number })
      .iat;
  const seed = online.operatorSigning;
  const [first, list] = await Promise.all([
    bornAt(firstEdgeAccountJwt(seed, parties)),
    bornAt(edgeAccountJwt(seed, parties, new Map([[createUser().getPublicKey(), new Date()]]))),
  ]);
  expect(first).toBeLessThan(list);
});

describe('a list of revoked gateways', () => {
  const keys = () => readAuthorityKeys(server.trust.folders.provisioner);
  const now = (): Date => new Date();

  test('that the server does not take is known to be refused, with its words', async () => {
    // What arrives is cut short on the way.
    const request: SystemConnection['request'] = (subject, jwt, options) =>
      system.request(subject, String(jwt).slice(0, 100), options);
    const cut = createSigner({ ...keys(), system: { request }, now });
    await expect(cut.revoke(new Map())).rejects.toMatchObject({ name: 'SignerError', code: 'refused' });
  });

  test('that its user may not tell is refused, that nobody takes is known to be so', async () => {
    const ingest = await connect(connectionOptions({ url: server.url, credsDir: server.credsDir }, 'ingest'));
    const lost = createSigner({ ...keys(), system: ingest, now });
    await expect(lost.held()).rejects.toMatchObject({ code: 'refused' });
    await expect(lost.revoke(new Map())).rejects.toMatchObject({ code: 'refused' });
    await ingest.close();
    await expect(lost.revoke(new Map())).rejects.toMatchObject({ code: 'unreachable' });
  });
});

test('the server tells ingest and the provisioner how it is configured, and is safe', async () => {
  const ingest = await connect(connectionOptions({ url: server.url, credsDir: server.credsDir }, 'ingest'));
  const isProduction = true;
  await checkServers({ nats: ingest, subject: SERVER_STATE_IN_CORE, isProduction, log: silent });
  await checkServers({ nats: system, subject: SERVER_STATE, isProduction, log: silent });
  // Nobody answers there: a server that does not say how it is configured is none for production.
  const unsaid = checkServers({ nats: ingest, subject: 'live.nobody', isProduction, log: silent });
  await expect(unsaid).rejects.toThrow(UnsafeServerError);
  await ingest.close();
});
