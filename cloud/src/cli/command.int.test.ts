import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import pino from 'pino';
import { afterAll, expect, test } from 'vitest';
import { commandRoutes, fleetRoutes } from '../fleet/index.ts';
import { givenFleet, mixedPark } from '../fleet/testing.ts';
import { allPermissions, createPasswords, identityRoutes, securityRoutes } from '../identity/index.ts';
import { factors } from '../identity/second-factors.ts';
import { newTotpSecret } from '../identity/totp.ts';
import { givenAccount, givenPerson, testKeeper } from '../identity/testing.ts';
import { createApp } from '../platform/http.ts';
import { withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { createSecrets, newKeyLine } from '../platform/secrets.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { telemetryRoutes } from '../telemetry/index.ts';
import { register } from './command.ts';

const { app: db, owner, pool } = await clonedDatabase();
const accountId = await givenAccount(owner);
await givenFleet(owner, accountId, mixedPark);
await pool().query(
  `update point p set write = '{"min":12,"max":22,"perMinute":6,"priority":16,"holdS":600,"safety":true}'
   from equipment e where e.id = p.equipment_id and e.key = 'm-ahu' and p.key = 'supply_air_temperature_setpoint'`,
);
await givenPerson(owner, { accountId, login: 'ada' });
await givenPerson(owner, { accountId, login: 'bo', roles: ['supervisor'] });

const now = () => new Date();
const keeper = testKeeper(db, { secondFactor: 'when_enrolled' });
const { authenticate } = keeper;
const home = await mkdtemp(join(tmpdir(), 'parkline-command-'));
await writeFile(join(home, 'keys'), newKeyLine('k1'));
const secrets = createSecrets(join(home, 'keys'));
const app = await createApp({ log: pino({ enabled: false }), authenticate, permissions: allPermissions });
const nats = new Promise<never>(() => undefined);
const nameOfTenant = () => Promise.resolve(undefined);
for (const plugin of [
  identityRoutes({ db, now, newId, passwords: createPasswords(), sessions: keeper, nameOfTenant }),
  fleetRoutes({ db, now }),
  commandRoutes({ db, now, newId }),
  securityRoutes({ db, now, newId, passwords: createPasswords(), keeper, secrets, rule: 'when_enrolled' }),
  telemetryRoutes({ db, now, nats, isLoggedIn: () => Promise.resolve(true) }),
])
  await app.register(plugin);
await app.listen({ port: 0, host: '127.0.0.1' });
afterAll(async () => {
  await app.close();
  await rm(home, { recursive: true });
});
const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
const password = 'a long password';
await writeFile(
  join(home, 'run.json'),
  JSON.stringify({
    url,
    users: [
      { role: 'facility_engineer', login: 'ada', password },
      { role: 'supervisor', login: 'bo', password },
    ],
  }),
);

async function parkline(args: string[], env: NodeJS.ProcessEnv = { PARKLINE_HOME: home }): Promise<string> {
  let printed = '';
  const io = { out: (text: string) => void (printed += text), err: () => undefined, env, cwd: home };
  const program = new Command('parkline').exitOverride().configureOutput({ writeErr: () => undefined });
  register(program, io);
  await program.parseAsync(['command', ...args], { from: 'user' });
  return printed;
}
const point = 'Air handler/supply_air_temperature_setpoint';
const send = (value: string, ...more: string[]) =>
  parkline(['send', point, value, '--reason', 'too warm', ...more]);

test('one person of the park that runs here asks, another approves, and the list shows it', async () => {
  const asked = JSON.parse(await send('18.5', '--hold', '60', '--json'));
  expect(asked).toMatchObject({ state: 'awaiting_approval', value: 18.5, holdS: 60, reason: 'too warm' });
  const approved = JSON.parse(await parkline(['approve', asked.id, '--json']));
  expect(approved).toMatchObject({ state: 'queued', approver: { name: 'Name of bo' } });
  expect(await parkline(['list'])).toContain(
    `${asked.id}  queued  Air handler: Supply air temperature setpoint = 18.5 °C`,
  );
  expect(JSON.parse(await send('release', '--json'))).toMatchObject({ value: null });
});

test('what is wrong is said with what to blame', async () => {
  await expect(send('23')).rejects.toThrow('body.value: 23 is outside what may be written, 12 to 22 °C');
  await expect(parkline(['send', 'Air handler/colour', '1', '--reason', 'why not'])).rejects.toThrow(
    'Air handler has no point colour; writable are: ',
  );
  await expect(parkline(['send', 'Nothing/x', '1', '--reason', 'why not'])).rejects.toThrow(
    'there is no equipment Nothing',
  );
  await expect(send('warm')).rejects.toThrow('not a number');
});

test('who has a second factor names a file with a code, which opens once', async () => {
  const ida = await givenPerson(owner, { accountId, login: 'ida' });
  const [code = ''] = await withAccount(owner, accountId, async (trx) => {
    const seed = { id: newId(), name: 'Phone', secret: newTotpSecret(), at: now() };
    const of = { accountId, personId: ida.id };
    await factors.beginTotp(trx, secrets, { ...of, ...seed });
    await trx.updateTable('totp').set({ confirmedAt: now() }).where('id', '=', seed.id).execute();
    return factors.renewRecoveryCodes(trx, of);
  });
  const env = { PARKLINE_URL: url, PARKLINE_LOGIN: 'ida', PARKLINE_PASSWORD: password };
  const list = (...more: string[]) => parkline(['list', '--json', ...more], env);
  await writeFile(join(home, 'code'), `${code}\n`);
  await expect(list()).rejects.toThrow('--code-file');
  expect(JSON.parse(await list('--code-file', 'code'))).toBeInstanceOf(Array);
  await expect(list('--code-file', 'code')).rejects.toThrow('used already');
});

test('elsewhere a login and its password come from the environment', async () => {
  const env = { PARKLINE_URL: url, PARKLINE_LOGIN: 'ada', PARKLINE_PASSWORD: password };
  expect(JSON.parse(await parkline(['list', '--json'], env))).toBeInstanceOf(Array);
  await expect(parkline(['list'], { ...env, PARKLINE_PASSWORD: 'wrong' })).rejects.toThrow(
    'ada cannot log in',
  );
  await expect(parkline(['list'], { PARKLINE_HOME: join(home, 'none') })).rejects.toThrow(
    'no park runs here',
  );
});
