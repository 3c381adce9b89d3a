import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '@parkline/contract';
import { sql } from 'kysely';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { withAccount } from '../platform/db.ts';
import { createApp } from '../platform/http.ts';
import { newId } from '../platform/ids.ts';
import { createLog } from '../platform/log.ts';
import { createSecrets, newKeyLine } from '../platform/secrets.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { auditTrail } from './audit.ts';
import { devices } from './known-devices.ts';
import { createPasswords } from './password.ts';
import { allPermissions, strongPermissions } from './permissions.ts';
import { createPeopleAdmin } from './people-admin.ts';
import { peopleRoutes } from './people-routes.ts';
import { identityRoutes } from './routes.ts';
import { securityRoutes } from './security-routes.ts';
import type { SecondFactorRule } from './session.ts';
import { givenAccount, givenPerson, testKeeper } from './testing.ts';
import { createTestBrowser, type TestBrowser } from './testing-browser.ts';

const { app: db, owner } = await clonedDatabase();
const folder = mkdtempSync(join(tmpdir(), 'parkline-factor-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'keys'), newKeyLine('k1'));
const secrets = createSecrets(join(folder, 'keys'));
const passwords = createPasswords();
let clock = Date.parse('2026-11-22T10:00:00Z');
const now = () => new Date(clock);

async function server(rule: SecondFactorRule) {
  const keeper = testKeeper(db, { now, secondFactor: rule });
  const made = await createApp({
    log: createLog('silent'),
    permissions: allPermissions,
    strongPermissions,
    authenticate: keeper.authenticate,
    ratePerS: 10_000,
  });
  const nameOfTenant = () => Promise.resolve(undefined);
  await made.register(identityRoutes({ db, now, newId, passwords, sessions: keeper, nameOfTenant }));
  await made.register(securityRoutes({ db, now, newId, passwords, secrets, keeper, rule }));
  await made.register(peopleRoutes(createPeopleAdmin({ db, now, newId, nameOfTenant })));
  made.post('/api/look', { config: { permission: 'place.read', fresh: true } }, () => ({ changed: true }));
  const act = { config: { permission: 'command.write', fresh: true } };
  made.post('/api/act', act, () => ({ done: true }));
  made.get('/api/look', { config: { permission: 'place.read' } }, () => ({ seen: true }));
  await made.ready();
  return made;
}
const strict = await server('required');
const lenient = await server('when_enrolled');
let app = strict;
beforeEach(() => {
  clock += 86_400_000;
  app = strict;
});

const browser = () => createTestBrowser(() => app);

const somebody = async (role: Role = 'facility_engineer') =>
  givenPerson(owner, { accountId: await givenAccount(owner), roles: [role] });
async function loggedIn(person: { login: string; password: string }): Promise<TestBrowser> {
  const one = browser();
  const reply = await one.post('/api/login', { login: person.login, password: person.password });
  expect(reply.statusCode).toBe(204);
  return one;
}
const codeOf = (secret: string, at = clock) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: at });

/** Enrols an app in this session. */
async function enrol(one: TestBrowser) {
  const { id, secret } = (await one.post('/api/me/second-factors/totp', { name: 'Phone' })).json();
  const reply = await one.post(`/api/me/second-factors/totp/${id}/confirm`, { code: codeOf(secret) });
  expect(reply.statusCode).toBe(200);
  clock += 30_000; // The code of this step is used.
  const { recoveryCodes } = reply.json() as { recoveryCodes?: string[] };
  return { id: id as string, secret: secret as string, recoveryCodes: recoveryCodes ?? [] };
}
/** How many of this database wait for a lock; asked beside a transaction, which would be told the same twice. */
async function waiting(): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(owner);
  return rows[0]!.n;
}
const give = (one: TestBrowser, code: string) => one.outcome('POST', '/api/me/second-factor/code', { code });

describe('who administers, commands or bills', () => {
  test('may only enrol a second factor at the first login, and then do everything', async () => {
    const one = await loggedIn(await somebody());
    expect((await one.get('/api/session')).json()).toEqual({ active: true, stage: 'enrol', kinds: [] });
    for (const [method, url] of [
      ['GET', '/api/me'],
      ['GET', '/api/look'],
      ['POST', '/api/act'],
      ['GET', '/api/me/sessions'],
      ['GET', '/api/me/second-factors'],
      ['POST', '/api/me/recovery-codes'],
    ] as const)
      expect([url, await one.outcome(method, url)]).toEqual([url, 'second_factor_enrol']);

    const { recoveryCodes } = await enrol(one);
    expect(recoveryCodes).toHaveLength(10);
    expect([await one.outcome('GET', '/api/look'), await one.outcome('POST', '/api/act')]).toEqual([
      'ok',
      'ok',
    ]);
    expect((await one.get('/api/session')).json()).toEqual({ active: true, stage: 'open', kinds: ['totp'] });
  });

  test('may only give it at the next login, in every session anew', async () => {
    const person = await somebody();
    const { secret } = await enrol(await loggedIn(person));
    const one = await loggedIn(person);
    expect((await one.get('/api/session')).json()).toEqual({ active: true, stage: 'give', kinds: ['totp'] });
    for (const [method, url, body] of [
      ['GET', '/api/me', undefined],
      ['GET', '/api/look', undefined],
      ['POST', '/api/act', undefined],
      ['POST', '/api/me/second-factors/totp', { name: 'Second phone' }],
      ['DELETE', `/api/me/second-factors/${newId()}`, undefined],
    ] as const)
      expect([url, await one.outcome(method, url, body)]).toEqual([url, 'second_factor_needed']);
    expect(await give(one, codeOf(secret))).toBe('ok');
    expect(await one.outcome('POST', '/api/act')).toBe('ok');
  });

  test('gives it again after ten minutes for what needs a fresh one, and reads on without', async () => {
    const one = await loggedIn(await somebody());
    const { secret } = await enrol(one);
    clock += 600_000;
    const refused = await one.post('/api/act');
    expect([refused.statusCode, refused.json()]).toMatchObject([
      403,
      { code: 'second_factor_needed', details: { kinds: ['totp'] } },
    ]);
    expect(await one.outcome('GET', '/api/look')).toBe('ok');
    expect(await give(one, codeOf(secret))).toBe('ok');
    expect(await one.outcome('POST', '/api/act')).toBe('ok');
  });

  test('cannot remove the last one, and another only while it is fresh', async () => {
    const one = await loggedIn(await somebody());
    const first = await enrol(one);
    const second = await enrol(one);
    expect(second.recoveryCodes).toEqual([]); // Those of the first factor still hold.
    clock += 600_000;
    const remove = (id: string) => one.outcome('DELETE', `/api/me/second-factors/${id}`);
    expect(await remove(first.id)).toBe('second_factor_needed');
    expect(await give(one, codeOf(second.secret))).toBe('ok');
    expect(await remove(newId())).toBe('not_found');
    expect([await remove(first.id), await remove(second.id)]).toEqual(['ok', 'conflict']);
    const { items, required } = (await one.get('/api/me/second-factors')).json();
    expect([items.map(({ id }: { id: string }) => id), required]).toEqual([[second.id], true]);
  });

  test('keeps one of two that are removed at once', async () => {
    const person = await somebody();
    const one = await loggedIn(person);
    const ids = [(await enrol(one)).id, (await enrol(one)).id];
    // Both removals have looked, or wait to, before either can delete.
    const removals = await withAccount(owner, person.accountId, async (trx) => {
      await trx.selectFrom('totp').select('id').where('id', 'in', ids).forUpdate().execute();
      const begun = ids.map((id) => one.outcome('DELETE', `/api/me/second-factors/${id}`));
      await expect.poll(waiting, { timeout: 20_000 }).toBe(2);
      return { begun };
    });
    expect((await Promise.all(removals.begun)).toSorted()).toEqual(['conflict', 'ok']);
  });

  test('is let in without one where the park is a demonstration on this machine, until one is enrolled', async () => {
    app = lenient;
    const person = await somebody();
    const one = await loggedIn(person);
    expect(await one.outcome('POST', '/api/act')).toBe('ok');
    await enrol(one);
    expect(await (await loggedIn(person)).outcome('GET', '/api/look')).toBe('second_factor_needed');
  });
});

test('who only works in the field needs none and may have one, and be rid of it again', async () => {
  const person = await somebody('technician');
  const one = await loggedIn(person);
  expect(await one.outcome('GET', '/api/look')).toBe('ok');
  expect(await one.outcome('POST', '/api/look')).toBe('second_factor_enrol'); // Not even this, where one is asked.
  const { id, secret } = await enrol(one);
  expect(await one.outcome('POST', '/api/look')).toBe('ok');
  const again = await loggedIn(person);
  expect(await again.outcome('GET', '/api/look')).toBe('second_factor_needed');
  expect(await give(again, codeOf(secret))).toBe('ok');
  expect(await again.outcome('DELETE', `/api/me/second-factors/${id}`)).toBe('ok');
  expect((await again.get('/api/me/second-factors')).json()).toEqual({
    items: [],
    required: false,
    recoveryCodesLeft: 0,
  });
  expect(await (await loggedIn(person)).outcome('GET', '/api/look')).toBe('ok');
});

describe('a code', () => {
  test('is taken once, by one session of many that try it at once', async () => {
    const person = await somebody();
    const { secret } = await enrol(await loggedIn(person));
    const many = await Promise.all(Array.from({ length: 4 }, () => loggedIn(person)));
    const outcomes = await Promise.all(many.map((one) => give(one, codeOf(secret))));
    expect(outcomes.sort()).toEqual(['code_refused', 'code_refused', 'code_refused', 'ok']);
  });

  test('of an app that was never confirmed opens nothing', async () => {
    const person = await somebody();
    const first = await loggedIn(person);
    const { secret } = await enrol(first);
    const pending = (await first.post('/api/me/second-factors/totp', { name: 'Never' })).json();
    const one = await loggedIn(person);
    expect(await give(one, codeOf(pending.secret))).toBe('code_refused');
    expect(await give(one, codeOf(secret))).toBe('ok');
  });

  test('is slow to guess: five wrong ones lock the person in every session, for one second, then two', async () => {
    const person = await somebody();
    const { secret } = await enrol(await loggedIn(person));
    const [one, other] = [await loggedIn(person), await loggedIn(person)];
    for (let i = 0; i < 5; i += 1) expect(await give(one, '000000')).toBe('code_refused');
    const locked = await other.post('/api/me/second-factor/code', { code: codeOf(secret) });
    expect([locked.statusCode, locked.headers['retry-after']]).toEqual([429, '1']);
    clock += 1_000;
    expect(await give(other, '000001')).toBe('code_refused');
    clock += 1_000;
    expect(await give(one, codeOf(secret))).toBe('too_many_requests');
    clock += 1_000;
    expect(await give(one, codeOf(secret))).toBe('ok');
  });

  test('of recovery opens once, and new ones take the place of the old', async () => {
    const person = await somebody();
    const { recoveryCodes } = await enrol(await loggedIn(person));
    const [spare = '', other = ''] = recoveryCodes;
    const one = await loggedIn(person);
    expect([await give(one, spare.toUpperCase()), await give(one, spare)]).toEqual(['ok', 'code_refused']);
    expect((await one.get('/api/me/second-factors')).json().recoveryCodesLeft).toBe(9);
    const { codes } = (await one.post('/api/me/recovery-codes')).json();
    expect(await give(await loggedIn(person), other)).toBe('code_refused');
    expect(await give(await loggedIn(person), codes[0])).toBe('ok');
  });
});

test('who lost it all enrols anew, when an administrator of the own account lets them', async () => {
  const person = await somebody();
  const { recoveryCodes } = await enrol(await loggedIn(person));
  const reset = (one: TestBrowser) => one.outcome('POST', `/api/people/${person.id}/reset-second-factor`);
  const administrator = async (accountId: string) => {
    const one = await loggedIn(await givenPerson(owner, { accountId, roles: ['account_admin'] }));
    await enrol(one);
    return one;
  };
  expect(await reset(await administrator(await givenAccount(owner)))).toBe('not_found');
  const open = await loggedIn(person);
  const boss = await administrator(person.accountId);
  const isProtected = async () => (await boss.get(`/api/people/${person.id}`)).json().hasSecondFactor;
  expect(await isProtected()).toBe(true);
  const age = (ms: number) =>
    owner
      .updateTable('session')
      .set({ factorAt: new Date(now().getTime() - ms) })
      .where('accountId', '=', person.accountId)
      .execute();
  await age(600_001);
  expect(await reset(boss)).toBe('second_factor_needed');
  await age(0);
  expect(await reset(boss)).toBe('ok');
  expect(await isProtected()).toBe(false);
  const [deed] = await withAccount(owner, person.accountId, (trx) =>
    auditTrail.page(trx, { limit: 1, subject: person.id }),
  );
  expect(deed).toMatchObject({ action: 'person.second_factor_reset', content: { ip: '127.0.0.1' } });
  expect(await open.outcome('GET', '/api/look')).toBe('not_logged_in');
  const again = await loggedIn(person);
  expect(await again.outcome('GET', '/api/look')).toBe('second_factor_enrol');
  expect(await give(again, recoveryCodes[0] ?? '')).toBe('code_refused');
});

test('the database holds no secret, no recovery code and no cookie as it is', async () => {
  const one = await loggedIn(await somebody());
  const { secret, recoveryCodes } = await enrol(one);
  const rows = JSON.stringify([
    await owner.selectFrom('totp').selectAll().execute(),
    await owner.selectFrom('recoveryCode').selectAll().execute(),
    await owner.selectFrom('session').selectAll().execute(),
  ]);
  const raw = Buffer.from(Secret.fromBase32(secret).buffer);
  for (const plain of [
    secret,
    raw.toString('base64'),
    raw.toString('hex'),
    ...recoveryCodes,
    ...one.jar.values(),
  ])
    expect(rows).not.toContain(plain);
  expect(rows).toContain('sealed:v1:k1:');
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
    clock += 120_000;
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
  clock += 29 * 60_000;
  expect(await look()).toEqual(['ok', 'ok']);
  clock += 31 * 60_000;
  expect(await look()).toEqual(['ok', 'not_logged_in']);
  clock += 12 * 3_600_000 - 1;
  expect(await look()).toEqual(['ok', 'not_logged_in']);
  clock += 12 * 3_600_000 + 1;
  expect(await look()).toEqual(['not_logged_in', 'not_logged_in']);
});
