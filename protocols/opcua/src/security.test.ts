import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DriverLog } from '@parkline/kit';
import { crypto_utils } from 'node-opcua-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpcuaBench, startOpcuaBench } from '../../../tests/support/opcua.ts';
import { keepIdentity } from './identity.ts';
import { connectionTo, gauge, never, quietLog } from './testing.ts';

const speed = gauge('Speed');
const layout = {
  devices: ['Lift1'],
  variables: [{ name: 'Speed', as: 'Double', quantity: 'speed', weight: 1, digits: 2 }],
  value: () => 1.25,
} as const;
let bench: OpcuaBench;
let guarded: OpcuaBench; // Lets nobody in without a name or a certificate.
const people = mkdtempSync(join(tmpdir(), 'parkline-people-'));

beforeAll(async () => {
  bench = await startOpcuaBench(layout);
  const { certificate } = await personOf('known');
  guarded = await startOpcuaBench({
    ...layout,
    users: new Map([['parkline', 'lift and let lift']]),
    userCertificates: [certificate],
  });
  mkdirSync(join(guarded.folder, 'gateway'), { recursive: true });
  for (const name of ['known', 'stranger']) {
    const { path } = await personOf(name);
    for (const file of [`${name}.pem`, `${name}-key.pem`])
      writeFileSync(join(guarded.folder, 'gateway', file), readFileSync(path)); // Both in one file, and both are found in it.
  }
  writeFileSync(join(guarded.folder, 'gateway', 'garbled.pem'), 'no key');
}, 60_000);

/** A person's certificate and key, made when first asked for. */
const personOf = (name: string) => keepIdentity(join(people, name), crypto_utils);
afterAll(async () => {
  await bench.stop();
  await guarded.stop();
  rmSync(people, { recursive: true, force: true });
});

/** The value that a connection with `params` reads; rejects as the driver does. */
async function readWith(to: OpcuaBench, params: object, log?: DriverLog): Promise<number | null | undefined> {
  const connection = connectionTo(to, params, log);
  try {
    const [sample] = await connection.device({ root: 'Lift1' }).read([speed], never());
    return sample?.value;
  } finally {
    await connection.close();
  }
}

test('the server of the fingerprint is read, however that is written', async () => {
  const spoken = bench.fingerprint.toUpperCase().match(/../g)!.join(':');
  await expect(readWith(bench, { serverFingerprint: spoken })).resolves.toBe(1.25);
});

test('a server nobody has vouched for is refused, with its fingerprint and what to do', async () => {
  await expect(readWith(bench, { serverFingerprint: undefined })).rejects.toMatchObject({
    code: 'config',
    where: bench.endpointUrl,
    message: expect.stringMatching(new RegExp(`${bench.fingerprint}.*set serverFingerprint`)) as string,
  });
});

test('another server than the one meant is refused, with both fingerprints', async () => {
  await expect(readWith(bench, { serverFingerprint: guarded.fingerprint })).rejects.toMatchObject({
    code: 'config',
    message: expect.stringMatching(new RegExp(`${bench.fingerprint}.*${guarded.fingerprint}`)) as string,
  });
});

test('security None works by waiver only, and every opening says so in the log', async () => {
  const none = { securityPolicy: 'None', securityMode: 'None', serverFingerprint: undefined };
  await expect(readWith(bench, none)).rejects.toMatchObject({ code: 'config' });
  const warnings: string[] = [];
  const log: DriverLog = { ...quietLog, warn: (_facts, message) => void warnings.push(message) };
  await expect(readWith(bench, { ...none, waiveSecurity: true }, log)).resolves.toBe(1.25);
  expect(warnings).toEqual([expect.stringContaining('security is waived')]);
});

test('a signed session without encryption still knows its server', async () => {
  await expect(readWith(bench, { securityMode: 'Sign' })).resolves.toBe(1.25);
  await expect(
    readWith(bench, { securityMode: 'Sign', serverFingerprint: guarded.fingerprint }),
  ).rejects.toMatchObject({ code: 'config' });
});

test('a user is let in with the right password only', async () => {
  const login = { user: 'parkline', password: 'lift and let lift' };
  await expect(readWith(guarded, login)).resolves.toBe(1.25);
  await expect(readWith(guarded, { ...login, password: 'wrong' })).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('does not let user parkline in: check user and password') as string,
  });
  await expect(readWith(guarded, {})).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('nobody in without a login') as string,
  });
});

test('the owner of a known certificate is let in, by certificate and key in the folder of the connection', async () => {
  const known = { userCertificate: 'known.pem', userKey: 'known-key.pem' };
  await expect(readWith(guarded, known)).resolves.toBe(1.25);
});

test.each([
  ['stranger.pem', 'stranger-key.pem', 'refused', 'does not let the owner of stranger.pem in: accept'],
  ['stranger.pem', 'known-key.pem', 'config', 'known-key.pem is not the key of the certificate stranger.pem'],
  ['none.pem', 'known-key.pem', 'config', 'none.pem cannot be read: put the file there'],
  ['known.pem', 'garbled.pem', 'config', 'garbled.pem is no certificate or key in PEM'],
] as const)('the certificate %s with %s is %s', async (userCertificate, userKey, code, message) => {
  await expect(readWith(guarded, { userCertificate, userKey })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message) as string,
  });
});

test('the stronger policy is spoken, too', async () => {
  await expect(readWith(bench, { securityPolicy: 'Aes256_Sha256_RsaPss' })).resolves.toBe(1.25);
});

test('the gateway keeps one certificate for ever, its key for nobody else', async () => {
  const path = join(bench.folder, 'gateway', 'client.pem');
  await readWith(bench, {});
  expect(existsSync(path)).toBe(true);
  const before = readFileSync(path, 'utf8');
  await readWith(bench, {});
  expect(readFileSync(path, 'utf8')).toBe(before);
  expect(statSync(path).mode & 0o077).toBe(0);
});

test('a server that is not there is lost, and one that is something else, too', async () => {
  await expect(readWith(bench, { endpointUrl: 'opc.tcp://127.0.0.1:1' })).rejects.toMatchObject({
    code: 'lost',
  });
});
