import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
import * as command from './command.ts';
import * as gateway from './gateway.ts';
import * as login from './login.ts';
import * as logout from './logout.ts';

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

/** `noun`: of every command, none where the arguments name their own. */
async function parkline(
  args: string[],
  env: NodeJS.ProcessEnv = { PARKLINE_HOME: home },
  noun = ['command'],
): Promise<string> {
  let printed = '';
  // A session that somebody keeps on this machine is not for these.
  const own = { XDG_CONFIG_HOME: join(home, 'nobody'), ...env };
  const io = { out: (text: string) => void (printed += text), err: () => undefined, env: own, cwd: home };
  const program = new Command('parkline').exitOverride().configureOutput({ writeErr: () => undefined });
  for (const { register } of [command, gateway, login, logout]) register(program, io);
  await program.parseAsync([...noun, ...args], { from: 'user' });
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

test('the server is heard in the language of the terminal, and equipment goes by its name in either', async () => {
  const chinese = { PARKLINE_HOME: home, LANG: 'zh_CN.UTF-8' };
  const { rows } = await pool().query(`select name ->> 'zh' as zh from equipment where key = 'm-ahu'`);
  for (const name of ['Air handler', rows[0].zh])
    await expect(
      parkline(['send', `${name}/supply_air_temperature_setpoint`, '23', '--reason', 'too warm'], chinese),
    ).rejects.toThrow('请求内容有误。 body.value: 23 超出允许写入的范围 12 至 22 °C');
});

/** Somebody with a second factor, and codes that each open once. */
async function givenCodes(login: string): Promise<readonly string[]> {
  const { id: personId } = await givenPerson(owner, { accountId, login });
  return withAccount(owner, accountId, async (trx) => {
    const seed = { id: newId(), name: 'Phone', secret: newTotpSecret(), at: now() };
    await factors.beginTotp(trx, secrets, { accountId, personId, ...seed });
    await trx.updateTable('totp').set({ confirmedAt: now() }).where('id', '=', seed.id).execute();
    return factors.renewRecoveryCodes(trx, { accountId, personId });
  });
}

test('who has a second factor names a file with a code, which opens once', async () => {
  const [code = ''] = await givenCodes('ida');
  const env = { PARKLINE_URL: url, PARKLINE_LOGIN: 'ida', PARKLINE_PASSWORD: password };
  const list = (...more: string[]) => parkline(['list', '--json', ...more], env);
  await writeFile(join(home, 'code'), `${code}\n`);
  await expect(list()).rejects.toThrow('--code-file');
  expect(JSON.parse(await list('--code-file', 'code'))).toBeInstanceOf(Array);
  await expect(list('--code-file', 'code')).rejects.toThrow(
    'Wrong, or used already: wait for the next code.',
  );
});

describe('a session that is kept', () => {
  const config = join(home, 'config');
  const file = join(config, 'parkline', 'session.json');
  const env = { XDG_CONFIG_HOME: config, PARKLINE_URL: url };
  const run = (...args: string[]) => parkline(args, env, []);
  const list = (...more: string[]) => run('command', 'list', '--json', ...more);
  const kept = async () => JSON.parse(await readFile(file, 'utf8')) as { cookies: Record<string, string> };
  const sessionsOf = async (login: string) =>
    (
      await owner
        .selectFrom('session')
        .innerJoin('person', 'person.id', 'session.personId')
        .select('session.id')
        .where('login', '=', login)
        .execute()
    ).map(({ id }) => id);
  let codes: readonly string[];
  const codeFile = async (i: number): Promise<string[]> => {
    await writeFile(join(home, 'code'), codes[i] ?? '');
    return ['--code-file', 'code'];
  };
  const logIn = async (i: number, more: NodeJS.ProcessEnv = {}) =>
    parkline(
      ['login', '--login', 'uma', ...(await codeFile(i))],
      { ...env, PARKLINE_PASSWORD: password, ...more },
      [],
    );
  beforeAll(async () => {
    codes = await givenCodes('uma');
  });

  test('carries the commands after it, with one second factor, in a file that nobody else can read', async () => {
    await logIn(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(config, 'parkline'))).mode & 0o777).toBe(0o700);
    for (let i = 0; i < 3; i += 1) expect(JSON.parse(await list())).toBeInstanceOf(Array);
    expect(await sessionsOf('uma')).toHaveLength(1);
  });

  test('gives a code where the server wants a fresh one, and stays open with what it got for it', async () => {
    await withAccount(owner, accountId, (trx) =>
      trx
        .updateTable('session')
        .set({ factorAt: new Date(Date.now() - 3_600_000) })
        .where('accountId', '=', accountId)
        .execute(),
    );
    const [before, open] = [await kept(), await sessionsOf('uma')];
    expect(JSON.parse(await list())).toBeInstanceOf(Array); // Reading needs no fresh one.
    const order = ['command', 'send', point, '19', '--reason', 'too warm', '--json'];
    await expect(run(...order)).rejects.toThrow('--code-file');
    await expect(run(...order, ...(await codeFile(0)))).rejects.toThrow('wait for the next code');
    expect(JSON.parse(await run(...order, ...(await codeFile(1))))).toMatchObject({ value: 19 });
    expect((await kept()).cookies).not.toEqual(before.cookies);
    expect(JSON.parse(await run(...order))).toMatchObject({ value: 19 });
    expect(await sessionsOf('uma')).toEqual(open);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('is for its person and place: who names another one logs in as ever', async () => {
    const wrong = parkline(['list', '--login', 'bo'], { ...env, PARKLINE_PASSWORD: 'wrong' });
    await expect(wrong).rejects.toThrow('bo cannot log in');
    const named = { ...env, PARKLINE_LOGIN: 'bo', PARKLINE_PASSWORD: password };
    expect(JSON.parse(await parkline(['list', '--json'], named))).toBeInstanceOf(Array);
    const here = { XDG_CONFIG_HOME: config, PARKLINE_HOME: home };
    await writeFile(file, JSON.stringify({ ...(await kept()), url: 'http://127.0.0.1:1' }), { mode: 0o600 });
    expect(JSON.parse(await parkline(['list', '--json'], here))).toBeInstanceOf(Array);
    await writeFile(file, JSON.stringify({ ...(await kept()), url }), { mode: 0o600 });
  });

  test('is not used from a file that others can read', async () => {
    await chmod(file, 0o644);
    await expect(list()).rejects.toThrow(`${file} is open to others (mode 644)`);
    await chmod(file, 0o600);
    expect(JSON.parse(await list())).toBeInstanceOf(Array);
  });

  test('of an earlier login ends with the next', async () => {
    const before = await sessionsOf('uma');
    await logIn(2);
    const after = await sessionsOf('uma');
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
  });

  test('ends on the server, too, with parkline logout', async () => {
    const { cookies } = await kept();
    await run('logout');
    expect(await sessionsOf('uma')).toEqual([]);
    await expect(stat(file)).rejects.toThrow('ENOENT');
    const cookie = Object.entries(cookies).map(([name, value]) => `${name}=${value}`);
    const stolen = await fetch(`${url}/api/me`, { headers: { cookie: cookie.join('; ') } });
    expect(stolen.status).toBe(401);
    await run('logout'); // Nobody is logged in: nothing to do.
  });

  test('that the server ended is said to be over, and is forgotten', async () => {
    await logIn(3);
    await withAccount(owner, accountId, (trx) =>
      trx.deleteFrom('session').where('accountId', '=', accountId).execute(),
    );
    await expect(list()).rejects.toThrow(`the session of uma at ${url} is over: parkline login`);
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });
});

test('the list of gateways shows a clock that is off, and by how much', async () => {
  const said = async (skewMs: number | null) => {
    await pool().query(
      `insert into gateway_status as s (gateway_id, account_id, heard_at, clock_skew_ms, clock_measured_at)
       select id, account_id, now(), $1, now() from gateway where account_id = $2
       on conflict (gateway_id) do update set clock_skew_ms = excluded.clock_skew_ms`,
      [skewMs, accountId],
    );
    const [, ...lines] = (await parkline(['list'], undefined, ['gateway'])).trimEnd().split('\n');
    return new Set(lines.map((line) => /Z +(.*?) {2,}\S+$/.exec(line)?.[1]));
  };
  expect(await said(null)).toEqual(new Set(['-']));
  expect(await said(-1_900)).toEqual(new Set(['ok']));
  expect(await said(3_000)).toEqual(new Set(['+3.0 s']));
  expect(await said(-90_000)).toEqual(new Set(['-90.0 s']));
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
