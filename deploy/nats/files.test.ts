import { chmod, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faultsOf } from './check.ts';
import { makeFiles, type Plan } from './files.ts';
import { seatsOf } from './seats.ts';
import { openTrust, TrustError } from './trust.ts';

let out: string;
let plan: Plan;
const now = new Date();
const DAY_MS = 86_400_000;
const wholeSeat = {
  ...{ port: 4222, clusterPort: 6222, httpPort: 8222 },
  ...{ configDir: '/etc/parkline/nats', dataDir: '/var/lib/parkline/nats' },
};
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'parkline-trust-'));
  plan = {
    ...{ out, maxFileStore: 1024 ** 3 },
    servers: seatsOf(
      ['a', 'b', 'c'].map((name) => ({ name, hosts: [`hub-${name}.park.example`, '10.0.0.1'] })),
      wholeSeat,
    ),
  };
  await makeFiles(plan, now);
});
afterAll(() => rm(out, { recursive: true, force: true }));

const all = async (): Promise<Record<string, string>> => {
  const files = (await readdir(out, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')] as const)),
  );
};
const conf = (): string => join(out, 'server-a/server.conf');

test('what was made is whole, closed to others, and stays when it is made again', async () => {
  expect(await faultsOf(out, now)).toEqual([]);
  const before = await all();
  expect(Object.keys(before)).toContain(join(out, 'trust/provisioner/edge-signing.nk'));
  await makeFiles(plan, new Date(now.getTime() + DAY_MS));
  expect(await all()).toEqual(before);
});

test('no seed and no key of the authority is in what goes to a server or to the cloud', async () => {
  const files = Object.entries(await all());
  const secrets = files
    .filter(([path]) => /trust\/(offline|provisioner)\/.*(\.nk|ca\.key\.pem)$/.test(path))
    .map(([, text]) => text.trim());
  expect(secrets.length).toBe(7); // The password of the routes is in their servers' configuration.
  for (const [path, text] of files.filter(([name]) => /server-|trust\/(cloud|accounts)\//.test(name)))
    for (const secret of secrets) expect(text, path).not.toContain(secret);
});

test('a certificate that is moved away is made anew; one that ends soon is named', async () => {
  const soon = new Date(now.getTime() + 340 * DAY_MS);
  expect((await faultsOf(out, soon)).join()).toMatch(
    /server-a\/tls\.crt\.pem ends .*move it away and run init/,
  );
  const file = join(out, 'server-a/tls.crt.pem');
  await rename(file, `${file}.old`);
  await makeFiles(plan, soon);
  expect((await faultsOf(out, soon)).join()).not.toContain('server-a/tls');
});

test.each([
  [
    'lax parsing',
    (text: string) => text.replace('jetstream {', 'jetstream {\n  strict: false'),
    /strict must not/,
  ],
  [
    'syncing now and then',
    (text: string) => text.replace('sync_interval: always', 'sync_interval: "2m"'),
    /always/,
  ],
  [
    'a greeting in plain text',
    (text: string) => text.replace('handshake_first: true', ''),
    /handshake_first/,
  ],
  ['no operator', (text: string) => text.replace(/^operator:/m, '# operator:'), /no operator/],
])('%s in a configuration is named', async (_what, change, words) => {
  const text = await readFile(conf(), 'utf8');
  await writeFile(conf(), change(text));
  expect((await faultsOf(out, now)).join()).toMatch(words);
  await writeFile(conf(), text);
});

test('a key that others may read is named', async () => {
  const file = join(out, 'trust/provisioner/edge-signing.nk');
  await chmod(file, 0o644);
  expect(await faultsOf(out, now)).toEqual([`${file} is open to other users: chmod 600`]);
  await chmod(file, 0o600);
});

test('where the seeds lie in a safe nothing is made in their place', async () => {
  const offline = join(out, 'trust/offline');
  await rename(offline, `${offline}.safe`);
  await expect(openTrust(join(out, 'trust'), now)).rejects.toThrow(TrustError);
  await rm(offline, { recursive: true, force: true });
  await rename(`${offline}.safe`, offline);
  expect(await faultsOf(out, now)).toEqual([]);
});
