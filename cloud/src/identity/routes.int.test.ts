import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { createDb, withAccount } from '../platform/db.ts';
import { createApp } from '../platform/http.ts';
import { newId } from '../platform/ids.ts';
import { createLog } from '../platform/log.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { deviceRetention, devices } from './known-devices.ts';
import { createPasswords } from './password.ts';
import { allPermissions } from './permissions.ts';
import { identityRoutes } from './routes.ts';
import { givenAccount, givenPerson, testKeeper } from './testing.ts';

const { app: db, owner, pool } = await clonedDatabase();
const passwords = createPasswords();
const token = 'printed once at install';
let clock = Date.parse('2026-11-22T10:00:00Z');
const now = () => new Date(clock);

async function server({ https = false } = {}) {
  const keeper = testKeeper(db, { now, https, secondFactor: 'when_enrolled' });
  const app = await createApp({
    log: createLog('silent'),
    permissions: allPermissions,
    authenticate: keeper.authenticate,
    ratePerS: 10_000,
    ...(https && { publicUrl: 'https://park.example' }),
  });
  const setupTokenSha256 = createHash('sha256').update(token).digest('hex');
  const nameOfTenant = async () => ({ en: 'Aurora', zh: '极光' });
  await app.register(
    identityRoutes({ db, now, newId, passwords, sessions: keeper, setupTokenSha256, nameOfTenant }),
  );
  await app.ready();
  return app;
}
let app = await server();
beforeEach(async () => {
  clock += 86_400_000; // Each test a day later: what an earlier one locked is open again.
  app = await server();
});

const login = (body: object, headers = {}) =>
  app.inject({ method: 'POST', url: '/api/login', payload: body, headers });
/** What the browser's page sends from then on. */
const cookieOf = ({ cookies }: { cookies: { name: string; value: string }[] }) => {
  const [session, csrf] = cookies;
  return { cookie: `${session?.name}=${session?.value}`, 'x-csrf-token': csrf?.value ?? '' };
};
const me = (headers: Record<string, string>) => app.inject({ url: '/api/me', headers });

describe('set-up of an empty park', () => {
  const park = { en: 'Harbour Park', zh: '港湾园区' };
  const first = { token, login: 'first@park', name: 'First', password: 'twelve letters at least', park };
  const setUp = (body: object) => app.inject({ method: 'POST', url: '/api/setup', payload: body });
  const needed = async () => (await app.inject({ url: '/api/setup' })).json();

  test('wants the token and a long password, lets one of two win, and is then closed for ever', async () => {
    expect(await needed()).toEqual({ needed: true, named: false });
    expect((await setUp({ ...first, token: 'guessed' })).statusCode).toBe(403);
    expect((await setUp({ ...first, password: 'short' })).json().details[0].field).toBe('body.password');
    const { park: _unnamed, ...nameless } = first;
    expect((await setUp(nameless)).json().details[0]).toEqual({
      ...{ field: 'body.park', message: 'is needed: the park has no name yet' },
    });

    const race = await Promise.all([setUp(first), setUp({ ...first, login: 'second@park' })]);
    expect(race.map(({ statusCode }) => statusCode).sort()).toEqual([204, 403]);
    expect(await needed()).toEqual({ needed: false, named: true });
    expect((await setUp({ ...first, login: 'third@park' })).json().code).toBe('setup_refused');

    const winner = race.find(({ statusCode }) => statusCode === 204);
    const reply = await me(cookieOf(winner ?? { cookies: [] }));
    expect(reply.json()).toMatchObject({
      ...{ name: 'First', roles: ['account_admin'], accountName: 'Harbour Park' },
    });
    const events = await owner.selectFrom('auditEvent').select('action').orderBy('id').execute();
    expect(events.map(({ action }) => action)).toEqual(['park.set_up', 'session.opened']);
  });
});

describe('login', () => {
  test('answers 204 with a cookie that scripts cannot read, and says who one is', async () => {
    const person = await givenPerson(owner, { accountId: await givenAccount(owner, 'seaside') });
    const reply = await login({ login: person.login.toUpperCase(), password: person.password });
    expect([reply.statusCode, reply.body]).toEqual([204, '']);
    expect(reply.cookies[0]).toMatchObject({
      name: 'parkline_session',
      httpOnly: true,
      sameSite: 'Lax',
      path: '/',
    });
    expect((await me(cookieOf(reply))).json()).toEqual({
      id: person.id,
      accountId: person.accountId,
      accountName: 'seaside',
      tenantId: null,
      tenantName: null,
      login: person.login,
      name: person.name,
      roles: ['facility_engineer'],
      permissions: expect.arrayContaining(['point.read']),
    });
  });

  test('says whose tenant one is, and grants the own use and places only', async () => {
    const accountId = await givenAccount(owner);
    const tenantId = newId();
    await withAccount(owner, accountId, (trx) =>
      sql`insert into tenant (id, account_id, key, name) values (${tenantId}, ${accountId}, 'aurora', '{}')`.execute(
        trx,
      ),
    );
    const person = await givenPerson(owner, { accountId, roles: ['tenant_admin'], tenantId });
    const headers = cookieOf(await login({ login: person.login, password: person.password }));
    expect((await me(headers)).json()).toMatchObject({
      tenantId,
      tenantName: 'Aurora',
      roles: ['tenant_admin'],
      permissions: ['my.usage', 'person.tenant', 'place.read'],
    });
  });

  test('nobody is staff and of a tenant, nor of a tenant without saying which', async () => {
    const accountId = await givenAccount(owner);
    await expect(givenPerson(owner, { accountId, roles: ['tenant_admin'] })).rejects.toThrow(
      'role tenant_admin does not fit a person without a tenant',
    );
    const tenantId = newId();
    await withAccount(owner, accountId, (trx) =>
      sql`insert into tenant (id, account_id, key, name) values (${tenantId}, ${accountId}, 'lin', '{}')`.execute(
        trx,
      ),
    );
    await expect(givenPerson(owner, { accountId, roles: ['supervisor'], tenantId })).rejects.toThrow(
      'role supervisor does not fit a person of a tenant',
    );
  });

  test('a stranger may ask whether a session is active without being refused', async () => {
    const person = await givenPerson(owner, { accountId: await givenAccount(owner) });
    const asked = (headers = {}) => app.inject({ url: '/api/session', headers });
    expect([(await asked()).statusCode, (await asked()).json()]).toEqual([200, { active: false }]);
    const headers = cookieOf(await login({ login: person.login, password: person.password }));
    expect((await asked(headers)).json()).toEqual({ active: true, stage: 'open', kinds: [] });
    await app.inject({ method: 'POST', url: '/api/logout', headers });
    expect((await asked(headers)).json()).toEqual({ active: false });
  });

  test('over https the cookie is secure and bound to the host', async () => {
    app = await server({ https: true });
    const person = await givenPerson(owner, { accountId: await givenAccount(owner) });
    const reply = await login({ login: person.login, password: person.password });
    expect(reply.cookies[0]).toMatchObject({ name: '__Host-parkline_session', secure: true });
    expect(reply.headers['strict-transport-security']).toContain('max-age');
  });

  test('a wrong password and an unknown login get the same answer', async () => {
    const { login: known } = await givenPerson(owner, { accountId: await givenAccount(owner) });
    const wrong = await login({ login: known, password: 'not this one' });
    const unknown = await login({ login: 'nobody at all', password: 'not this one' });
    expect([wrong.statusCode, wrong.body]).toEqual([401, unknown.body]);
    expect(wrong.json().code).toBe('login_refused');
  });

  test('the database holds neither password nor cookie', async () => {
    const person = await givenPerson(owner, { accountId: await givenAccount(owner) });
    const { cookie } = cookieOf(await login({ login: person.login, password: person.password }));
    const rows = [
      await owner.selectFrom('person').selectAll().execute(),
      await owner.selectFrom('session').selectAll().execute(),
    ];
    expect(JSON.stringify(rows)).not.toContain(person.password);
    expect(JSON.stringify(rows)).not.toContain(cookie.split('=')[1]);
  });

  test('five failures lock the login for one second, then two, and the right password opens it again', async () => {
    const person = await givenPerson(owner, { accountId: await givenAccount(owner) });
    const attempt = async (password: string) => {
      const reply = await login({ login: person.login, password });
      return [reply.statusCode, reply.headers['retry-after']];
    };
    for (let i = 0; i < 5; i += 1) expect(await attempt('wrong')).toEqual([401, undefined]);
    expect(await attempt(person.password)).toEqual([429, '1']);
    clock += 1_000;
    expect(await attempt('wrong')).toEqual([401, undefined]);
    expect(await attempt(person.password)).toEqual([429, '2']);
    clock += 2_000;
    expect(await attempt(person.password)).toEqual([204, undefined]);
    expect(await attempt('wrong')).toEqual([401, undefined]);
  });

  describe('wrong passwords of strangers', () => {
    const known = 'parkline_device';
    /** A browser, which keeps its cookies. */
    function browser(name = known) {
      const jar = new Map<string, string>();
      const tryIn = async (who: string, password: string) => {
        const cookie = [...jar].map(([key, value]) => `${key}=${value}`).join('; ');
        const headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux)', ...(cookie && { cookie }) };
        const reply = await login({ login: who, password }, headers);
        for (const { name: key, value } of reply.cookies) if (key === name) jar.set(key, value);
        return reply.statusCode;
      };
      return { jar, tryIn };
    }
    const someone = async () => givenPerson(owner, { accountId: await givenAccount(owner) });
    const lock = async (who: string) => {
      for (let i = 0; i < 6; i += 1) await login({ login: who, password: 'wrong' });
      expect((await login({ login: who, password: 'wrong' })).statusCode).toBe(429);
    };

    test('do not keep somebody out of a browser where that person logged in before', async () => {
      const person = await someone();
      const own = browser();
      expect(await own.tryIn(person.login, person.password)).toBe(204);
      await lock(person.login);
      expect(await browser().tryIn(person.login, person.password)).toBe(429);
      expect(await own.tryIn(person.login.toUpperCase(), person.password)).toBe(204);
      // That frees nobody else.
      expect(await browser().tryIn(person.login, person.password)).toBe(429);
    });

    test('count in such a browser, too, for itself', async () => {
      const person = await someone();
      const own = browser();
      await own.tryIn(person.login, person.password);
      const replies: number[] = [];
      for (let i = 0; i < 7; i += 1) replies.push(await own.tryIn(person.login, 'wrong'));
      expect(replies).toEqual([401, 401, 401, 401, 401, 429, 429]);
      expect(await own.tryIn(person.login, person.password)).toBe(429);
      expect(await browser().tryIn(person.login, person.password)).toBe(204);
    });

    test('are not helped by a cookie of another person, an invented one, or a copy of one that was used since', async () => {
      const [person, other] = [await someone(), await someone()];
      const [own, foreign] = [browser(), browser()];
      await own.tryIn(person.login, person.password);
      await foreign.tryIn(other.login, other.password);
      const copy = browser();
      copy.jar.set(known, own.jar.get(known) ?? '');
      await own.tryIn(person.login, person.password);
      const invented = browser();
      invented.jar.set(known, 'A'.repeat(43));
      await lock(person.login);
      const replies = [foreign, invented, copy].map((one) => one.tryIn(person.login, 'wrong'));
      expect(await Promise.all(replies)).toEqual([429, 429, 429]);
      expect(await own.tryIn(person.login, 'wrong')).toBe(401);
    });

    test('lock out nobody of those who share a browser, which is a stranger again after half a year', async () => {
      const [one, two] = [await someone(), await someone()];
      const shared = browser();
      for (const { login: who, password } of [one, two]) expect(await shared.tryIn(who, password)).toBe(204);
      for (const { login: who } of [one, two]) await lock(who);
      expect(await shared.tryIn(one.login, one.password)).toBe(204);
      clock += 181 * 86_400_000;
      await lock(two.login);
      expect(await shared.tryIn(two.login, two.password)).toBe(429);
    });

    test('meet a cookie that no page can read, of a browser only, and kept as a hash', async () => {
      app = await server({ https: true });
      const person = await someone();
      const body = { login: person.login, password: person.password };
      const reply = await login(body, { 'user-agent': 'Mozilla/5.0' });
      const cookie = reply.cookies.find(({ name }) => name === '__Host-parkline_device');
      expect(cookie).toMatchObject({
        ...{ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' },
        maxAge: 180 * 86_400,
        value: expect.stringMatching(/^[\w-]{43}$/) as string,
      });
      expect((await login(body, { 'user-agent': 'node' })).cookies).toHaveLength(2);
      const rows = await owner.selectFrom('knownDevice').selectAll().execute();
      expect(rows.filter(({ personId }) => personId === person.id)).toHaveLength(1);
      expect(JSON.stringify(rows)).not.toContain(cookie?.value);
      await withAccount(db, person.accountId, async (trx) => {
        for (let i = 0; i < 60; i += 1) await devices.used(trx, person.id, undefined, now());
      });
      const { n } = await owner
        .selectFrom('knownDevice')
        .select(sql<number>`count(*)::int`.as('n'))
        .where('personId', '=', person.id)
        .executeTakeFirstOrThrow();
      expect(n).toBe(50);
      const worker = createDb(pool('parkline_worker'));
      clock += 181 * 86_400_000;
      expect(await deviceRetention.drop(worker, now())).toBeGreaterThanOrEqual(50);
      expect(await owner.selectFrom('knownDevice').selectAll().execute()).toEqual([]);
    });
  });

  test('a dozen devices of one person log in at the same time', async () => {
    const { login: name, password } = await givenPerson(owner, { accountId: await givenAccount(owner) });
    const replies = await Promise.all(Array.from({ length: 12 }, () => login({ login: name, password })));
    expect(replies.map(({ statusCode }) => statusCode)).toEqual(Array(12).fill(204));
  });

  test('many attempts at once do not slip through the lock together', async () => {
    const person = await givenPerson(owner, { accountId: await givenAccount(owner) });
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => login({ login: person.login, password: 'wrong' })),
    );
    expect(replies.filter(({ statusCode }) => statusCode === 401)).toHaveLength(5);
    expect(replies.filter(({ statusCode }) => statusCode === 429)).toHaveLength(15);
  });

  test('an address that tries a hundred logins a minute has to wait', async () => {
    const replies = await Promise.all(
      Array.from({ length: 103 }, (_, i) => login({ login: `guess ${i}`, password: 'x' })),
    );
    expect(replies.filter(({ statusCode }) => statusCode === 429)).toHaveLength(3);
  }, 30_000);

  test('another site cannot log a browser in', async () => {
    const reply = await login({ login: 'x', password: 'y' }, { origin: 'https://evil.example' });
    expect([reply.statusCode, reply.json().code]).toEqual([403, 'foreign_origin']);
  });
});
