import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { devices } from './known-devices.ts';
import { sessionGate } from './session-store.ts';
import { givenAccount, givenPerson } from './testing.ts';
import type { TestBrowser } from './testing-browser.ts';
import { createLoginPark } from './testing-logins.ts';

const database = await clonedDatabase();
const { app: db, owner } = database;
const { world, now, browser, somebody, loggedIn, codeOf, enrol, give } = await createLoginPark(database);

describe('a session', () => {
  const status = async (one: TestBrowser) => (await one.get('/api/me')).statusCode;

  test('ends with half an hour of silence, and not while it is used', async () => {
    const one = await loggedIn(await somebody('technician'));
    for (let i = 0; i < 4; i += 1) {
      world.clock += 20 * 60_000;
      expect(await status(one)).toBe(200);
    }
    world.clock += 30 * 60_000 + 1;
    expect(await status(one)).toBe(401);
  });

  test('ends after seven days whatever it does', async () => {
    const one = await loggedIn(await somebody('technician'));
    for (let left = 7 * 48 - 1; left > 0; left -= 1) {
      world.clock += 30 * 60_000 - 1;
      if ((await status(one)) !== 200) throw new Error(`ended ${left} half hours early`);
    }
    world.clock += 31 * 60_000;
    expect(await status(one)).toBe(401);
  });

  test('ends at logout, and at the next login of the same browser', async () => {
    const person = await somebody('technician');
    const one = await loggedIn(person);
    const before = browser();
    for (const [name, value] of one.jar) before.jar.set(name, value);
    const { login, password } = person;
    expect(await one.outcome('POST', '/api/login', { login, password })).toBe('ok');
    expect([await status(before), await status(one)]).toEqual([401, 200]);

    expect([await one.outcome('POST', '/api/logout'), await status(one)]).toEqual(['ok', 401]);
    expect(await browser().outcome('POST', '/api/logout')).toBe('not_logged_in');
  });

  test('ends when its person is disabled', async () => {
    const person = await somebody('technician');
    const one = await loggedIn(person);
    await withAccount(owner, person.accountId, (trx) =>
      trx.updateTable('person').set({ disabledAt: now() }).where('id', '=', person.id).execute(),
    );
    expect(await status(one)).toBe(401);
  });

  test('is swept away once it is over', async () => {
    const one = await loggedIn(await somebody('technician'));
    world.clock += 31 * 60_000;
    expect(
      await sessionGate.sweep(db, now(), { staffMs: 30 * 60_000, tenantMs: 12 * 3_600_000 }),
    ).toBeGreaterThan(0);
    world.clock -= 31 * 60_000;
    expect(await status(one)).toBe(401);
  });
});

describe('the session', () => {
  test('gets another id with the second factor, and the old one is worth nothing', async () => {
    const person = await somebody();
    const { secret } = await enrol(await loggedIn(person));
    const one = await loggedIn(person);
    const stolen = browser();
    for (const [name, value] of one.jar) stolen.jar.set(name, value);
    expect(await give(one, codeOf(secret))).toBe('ok');
    expect(await stolen.outcome('GET', '/api/look')).toBe('not_logged_in');
    expect(await one.outcome('GET', '/api/look')).toBe('ok');
  });

  test.each([
    ['no token', ''],
    ['a token of another session', 'other'],
    ['a made-up token', 'x'.repeat(43)],
  ])('changes nothing for a request with %s', async (_why, token) => {
    const person = await somebody('technician');
    const [one, other] = [await loggedIn(person), await loggedIn(person)];
    one.jar.set('parkline_csrf', token === 'other' ? (other.jar.get('parkline_csrf') ?? '') : token);
    expect(await one.outcome('POST', '/api/logout')).toBe('csrf_refused');
    expect(await one.outcome('GET', '/api/look')).toBe('ok');
  });

  test('is listed with device, address and times, and is ended from another', async () => {
    const person = await somebody('technician');
    const [one, other, third] = [await loggedIn(person), await loggedIn(person), await loggedIn(person)];
    world.clock += 120_000;
    await one.get('/api/look');
    const list = async () => (await one.get('/api/me/sessions')).json().items;
    const [mine, ...others] = await list();
    expect([mine.current, others.length]).toEqual([true, 2]);
    expect(mine).toMatchObject({ device: 'Test browser', ip: '127.0.0.1', lastSeen: now().toISOString() });

    expect(await one.outcome('DELETE', `/api/me/sessions/${others[0].id}`)).toBe('ok');
    expect(await one.outcome('DELETE', `/api/me/sessions/${others[0].id}`)).toBe('not_found');
    expect(await list()).toHaveLength(2);
    expect(await one.outcome('DELETE', '/api/me/sessions')).toBe('ok');
    const left = await Promise.all([one, other, third].map((each) => each.outcome('GET', '/api/look')));
    expect(left).toEqual(['ok', 'not_logged_in', 'not_logged_in']);
  });

  test('of another person is neither listed nor ended', async () => {
    const [one, stranger] = [
      await loggedIn(await somebody('technician')),
      await loggedIn(await somebody('technician')),
    ];
    const [theirs] = (await stranger.get('/api/me/sessions')).json().items;
    expect(await one.outcome('DELETE', `/api/me/sessions/${theirs.id}`)).toBe('not_found');
    expect(await stranger.outcome('GET', '/api/look')).toBe('ok');
  });
});

describe('the own password', () => {
  const to = (password: string, newPassword: string) => ({ password, newPassword });

  test('is changed by who knows the old one; other sessions end, this one goes on with another id', async () => {
    const person = await somebody('technician');
    const [one, other] = [await loggedIn(person), await loggedIn(person)];
    const change = (body: object) => one.outcome('POST', '/api/me/password', body);
    expect(await change(to('not this one', 'four quiet herons waited'))).toBe('password_refused');
    expect(await change(to(person.password, 'Password2026!'))).toBe('bad_input');
    const before = one.jar.get('parkline_session');
    expect(await change(to(person.password, 'four quiet herons waited'))).toBe('ok');
    expect(one.jar.get('parkline_session')).not.toBe(before);
    expect(await other.outcome('GET', '/api/look')).toBe('not_logged_in');
    expect(await one.outcome('GET', '/api/look')).toBe('ok');
    expect(await browser().outcome('POST', '/api/login', person)).toBe('bad_input'); // Only login and password.
    const again = { login: person.login, password: 'four quiet herons waited' };
    expect(await browser().outcome('POST', '/api/login', again)).toBe('ok');
  });

  test('is as slow to guess as any, once it is new, in the other browsers that knew the old one', async () => {
    const person = await somebody('technician');
    const one = await loggedIn(person);
    const [own] = await withAccount(db, person.accountId, async (trx) => [
      await devices.used(trx, person.id, undefined, now()),
      await devices.used(trx, person.id, undefined, now()),
    ]);
    one.jar.set('parkline_device', own!);
    await one.outcome('POST', '/api/me/password', to(person.password, 'four quiet herons waited'));
    const known = await owner
      .selectFrom('knownDevice')
      .select('tokenHash')
      .where('personId', '=', person.id)
      .execute();
    expect(known).toEqual([{ tokenHash: createHash('sha256').update(own!).digest() }]);
  });

  test('is slow to guess from a session that was left open', async () => {
    const one = await loggedIn(await somebody('technician'));
    const outcomes: string[] = [];
    for (let i = 0; i < 6; i += 1)
      outcomes.push(
        await one.outcome('POST', '/api/me/password', to(`guess ${i}`, 'four quiet herons waited')),
      );
    expect(outcomes).toEqual([...Array(5).fill('password_refused'), 'too_many_requests']);
  });
});

test('a tenant stays logged in for half a day of silence, the staff for half an hour', async () => {
  const accountId = await givenAccount(owner);
  const tenantId = newId();
  await withAccount(owner, accountId, (trx) =>
    sql`insert into tenant (id, account_id, key, name) values (${tenantId}, ${accountId}, 'aurora', '{}')`.execute(
      trx,
    ),
  );
  const tenant = await loggedIn(
    await givenPerson(owner, { accountId, tenantId, roles: ['tenant_employee'] }),
  );
  const staff = await loggedIn(await givenPerson(owner, { accountId, roles: ['technician'] }));
  const look = () => Promise.all([tenant, staff].map((one) => one.outcome('GET', '/api/look')));
  world.clock += 29 * 60_000;
  expect(await look()).toEqual(['ok', 'ok']);
  world.clock += 31 * 60_000;
  expect(await look()).toEqual(['ok', 'not_logged_in']);
  world.clock += 12 * 3_600_000 - 1;
  expect(await look()).toEqual(['ok', 'not_logged_in']);
  world.clock += 12 * 3_600_000 + 1;
  expect(await look()).toEqual(['not_logged_in', 'not_logged_in']);
});
