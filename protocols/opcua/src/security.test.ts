import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DriverLog } from '@parkline/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpcuaBench, startOpcuaBench } from '../../../tests/support/opcua.ts';
import { connectionTo, gauge, never, quietLog } from './testing.ts';

const speed = gauge('Speed');
const layout = {
  devices: ['Lift1'],
  variables: [{ name: 'Speed', as: 'Double', quantity: 'speed', weight: 1, digits: 2 }],
  value: () => 1.25,
} as const;
let bench: OpcuaBench;
let guarded: OpcuaBench; // Lets nobody in without a name.

beforeAll(async () => {
  bench = await startOpcuaBench(layout);
  guarded = await startOpcuaBench({ ...layout, users: new Map([['parkline', 'lift and let lift']]) });
}, 60_000);
afterAll(async () => {
  await bench.stop();
  await guarded.stop();
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
    message: expect.stringContaining('not user parkline') as string,
  });
  await expect(readWith(guarded, {})).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('nobody without a user name') as string,
  });
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
