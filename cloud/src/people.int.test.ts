import type { Person } from '@parkline/contract';
import { describe, expect, test } from 'vitest';
import { erasePerson, verifyAudit } from './identity/index.ts';
import { accounts } from './identity/accounts.ts';
import { tell } from './identity/notices.ts';
import { givenPerson, loggedIn } from './identity/testing.ts';
import { withAccount, withActor } from './platform/db.ts';
import { newId } from './platform/ids.ts';
import { servePeople } from './testing-people.ts';

const {
  owner,
  db,
  rows,
  app,
  ours,
  theirs,
  atelier,
  boss,
  tenantBoss,
  engineer,
  site,
  building,
  idOf,
  call,
  matching,
  somebody,
  lastDeed,
  post,
  mailsTo,
  sink,
} = await servePeople();

describe('people', () => {
  test('are found by a part of name, login or address, page by page', async () => {
    const login = `zhao-${newId()}`;
    const email = `${login}@example.org`;
    await call('POST', '/api/people', boss, { login, name: '赵敏', email, grants: [{ role: 'guard' }] });
    for (const search of ['赵', login.toUpperCase(), 'zhao-']) {
      const found = await call('GET', `/api/people?search=${encodeURIComponent(search)}`);
      expect(found.json().items.map((one: Person) => one.login)).toContain(login);
    }
    const names: string[] = [];
    let after = '';
    do {
      const page = (await call('GET', `/api/people?limit=3${after && `&after=${after}`}`)).json();
      expect(page.items.length).toBeLessThanOrEqual(3);
      names.push(...page.items.map((one: Person) => one.id));
      after = page.next ?? '';
    } while (after);
    const all = (await call('GET', '/api/people?limit=500')).json().items;
    expect(names).toEqual(all.map((one: Person) => one.id));
  });

  test('are added with rights; a login that anybody has, here or elsewhere, is taken', async () => {
    const person = await somebody();
    expect(person).toMatchObject({ hasPassword: false, version: 1, tenantId: null });
    const taken = { login: person.login.toUpperCase(), name: 'Other', grants: [{ role: 'guard' }] };
    for (const headers of [boss, theirs.as.account_admin]) {
      const reply = await call('POST', '/api/people', headers, taken);
      expect([reply.statusCode, reply.json().details]).toEqual([409, { why: 'login_taken' }]);
    }
  });

  test('are edited from the version that was read, and the deed says what was and what is', async () => {
    const { id } = await somebody('technician');
    const url = `/api/people/${id}`;
    expect((await call('PATCH', url, boss, { name: 'A' })).statusCode).toBe(428);
    const body = { name: 'An', email: 'an@example.org', skills: ['hvac'], areas: [building] };
    const done = await call('PATCH', url, matching(1), body);
    expect([done.statusCode, done.headers.etag, done.json()]).toMatchObject([
      200,
      '"2"',
      { ...body, version: 2 },
    ]);
    const stale = await call('PATCH', url, matching(1), { name: 'Overwritten' });
    expect([stale.statusCode, stale.json()]).toMatchObject([
      409,
      { code: 'stale_edit', details: { current: { name: 'An', version: 2 } } },
    ]);
    expect(await lastDeed(id)).toMatchObject({
      action: 'person.changed',
      content: { before: { name: 'Some Body', email: null }, after: { name: 'An', email: 'an@example.org' } },
    });
    const elsewhere = await call('PATCH', url, matching(2), {
      areas: [await idOf('building', theirs.accountId)],
    });
    expect([elsewhere.statusCode, elsewhere.json().details[0].field]).toEqual([400, 'body.areas']);
    expect((await call('PATCH', url, matching(2), { email: 'a@b, c@d' })).statusCode).toBe(400);
  });

  describe('whose account somebody else changes are told where they read mail until then', () => {
    /** A person with an address, of the staff or of a tenant. */
    async function withAddress(tenantId?: string) {
      const [login, role] = [`p-${newId()}`, tenantId ? 'tenant_employee' : 'guard'];
      const email = `${login}@example.org`;
      const facts = { login, name: 'Ann', email, language: 'en' };
      const body = { ...facts, grants: [{ role }], ...(tenantId && { tenantId }) };
      return (await call('POST', '/api/people', boss, body)).json<Person & { email: string }>();
    }
    const told = async (address: string) => (await post(), mailsTo(address).map(({ text }) => text));

    test('of another address, and of none, without a word of the new one and without a link', async () => {
      const { id, email, login } = await withAddress();
      const url = `/api/people/${id}`;
      await call('PATCH', url, matching(1), { name: 'Anna' });
      expect(await told(email)).toEqual([]);
      await call('PATCH', url, matching(2), { email: `new-${email}` });
      const [text, ...more] = await told(email);
      expect(more).toEqual([]);
      expect(text).toMatch(
        new RegExp(`Hello Anna,[^]*Name of .* changed the mail address of the login ${login}`),
      );
      expect(text).toContain('tell an administrator');
      expect(text).not.toMatch(/new-|https?:|#/);
      expect(await told(`new-${email}`)).toEqual([]);
      await call('PATCH', url, matching(3), { email: null, language: 'zh-CN' });
      expect(await told(`new-${email}`)).toEqual([expect.stringContaining('更改了')]);
    });

    test('of a first address, too, where links went to the login until then', async () => {
      const login = `p-${newId()}@example.org`;
      const { id } = await givenPerson(db, { accountId: ours.accountId, login });
      await call('PATCH', `/api/people/${id}`, matching(1), { email: `new-${login}`, language: 'en' });
      expect(await told(login)).toEqual([expect.stringContaining('changed the mail address')]);
    });

    test('of a second factor that was reset; of a tenant, by its own administrator, too', async () => {
      const { id, email } = await withAddress(atelier);
      expect((await call('POST', `/api/my/people/${id}/reset-second-factor`, tenantBoss)).statusCode).toBe(
        200,
      );
      const [text] = await told(email);
      expect(text).toMatch(/took the second factors off/);
      expect(text).not.toMatch(/https?:|#/);
      const { id: silent } = await somebody();
      const before = sink.mails.length;
      await call('POST', `/api/people/${silent}/reset-second-factor`);
      await post();
      expect(sink.mails.length).toBe(before); // There is nowhere to write to.
    });

    test('not of a person out of sight, nor once that person is erased', async () => {
      const { id, email } = await withAddress();
      const notice = (bounds: { tenantId: string | null }) =>
        withActor(db, { accountId: ours.accountId, buildings: null, ...bounds }, (trx) =>
          tell(trx, newId, { what: 'factor_reset', personId: id, to: email, by: null, at: new Date(0) }),
        );
      await expect(notice({ tenantId: atelier })).rejects.toThrow('people in sight only');
      await notice({ tenantId: null });
      await withAccount(db, ours.accountId, (trx) =>
        erasePerson(trx, { accountId: ours.accountId, personId: id, at: new Date(), by: null }),
      );
      expect(await told(email)).toEqual([]);
    });
  });

  test('that are disabled are out at once and cannot log in, until they are enabled', async () => {
    const { id, login, password } = await givenPerson(db, { accountId: ours.accountId, roles: ['guard'] });
    const login_ = () => app.inject({ method: 'POST', url: '/api/login', payload: { login, password } });
    const cookie = (await login_()).cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const me = () => app.inject({ url: '/api/me', headers: { cookie } });
    expect((await me()).statusCode).toBe(200);
    expect((await call('POST', `/api/people/${id}/disable`)).json().disabledAt).not.toBeNull();
    expect((await me()).statusCode).toBe(401);
    expect((await login_()).statusCode).toBe(401);
    await call('POST', `/api/people/${id}/enable`);
    expect((await me()).statusCode).toBe(401);
    expect((await login_()).statusCode).toBe(204);
  });
});

describe('the park', () => {
  const harbour = { en: 'Harbour Park', zh: '港湾园区' };

  test('is named from the version that was read, and mails are signed with that name at once', async () => {
    const read = await call('GET', '/api/account');
    expect(read.json()).toMatchObject({ id: ours.accountId, version: 1, name: { en: expect.any(String) } });
    expect(read.headers.etag).toMatch(/^"1\b/);
    expect((await call('PATCH', '/api/account', boss, { name: harbour })).statusCode).toBe(428);
    const blank = await call('PATCH', '/api/account', matching(1), { name: { en: ' ', zh: '港' } });
    expect([blank.statusCode, blank.json().details[0].field]).toEqual([400, 'body.name.en']);
    const spaced = { name: { ...harbour, en: ' Harbour Park ' } };
    const named = await call('PATCH', '/api/account', matching(1), spaced);
    expect([named.statusCode, named.headers.etag, named.json()]).toMatchObject([
      ...[200, '"2"', { name: harbour, version: 2 }],
    ]);
    const stale = await call('PATCH', '/api/account', matching(1), { name: { en: 'Mine', zh: '我的' } });
    expect([stale.statusCode, stale.json()]).toMatchObject([
      ...[409, { code: 'stale_edit', details: { current: { name: harbour, version: 2 } } }],
    ]);
    const again = await call('PATCH', '/api/account', matching(2), { name: harbour });
    expect([again.statusCode, again.headers.etag]).toEqual([200, '"2"']); // Nothing to change.
    const content = { before: { name: read.json().name }, after: { name: harbour } };
    expect(await lastDeed(ours.accountId)).toMatchObject({ action: 'park.changed', content });
    const person = { email: `${newId()}@example.org`, name: 'An', grants: [{ role: 'guard' }] };
    await call('POST', '/api/invitations', boss, { ...person, language: 'en' });
    await post();
    expect(mailsTo(person.email)[0]?.text).toContain('to Harbour Park on Parkline');
    expect((await call('GET', '/api/me', tenantBoss)).json().accountName).toBe('Harbour Park');
    expect((await call('GET', '/api/account', theirs.as.account_admin)).json().name).not.toEqual(harbour);
  });

  test('is named by who acts everywhere in it, whatever the route says', async () => {
    const { accountId } = ours;
    const rename = (bounds: { accountId: string; tenantId: string | null; buildings: string[] | null }) =>
      withActor(db, bounds, async (trx) =>
        accounts.rename(trx, await accounts.find(trx, accountId), { en: 'Taken', zh: '占' }),
      );
    expect(await rename({ accountId, tenantId: atelier, buildings: null })).toBe(false);
    await expect(rename({ accountId, tenantId: null, buildings: [building] })).rejects.toThrow('row-level');
    await expect(rename({ ...theirs, tenantId: null, buildings: null })).rejects.toThrow('no result');
    expect(await rename({ accountId, tenantId: null, buildings: null })).toBe(true);
  });
});

describe('rights', () => {
  test('are given on the account, a site or a building, end the sessions, and are taken away again', async () => {
    const { id: personId } = await givenPerson(db, { accountId: ours.accountId, roles: ['guard'] });
    const sessionsOf = async () =>
      Number(
        (await rows.query('select count(*) from session where person_id = $1', [personId])).rows[0].count,
      );
    await rows.query(
      `insert into session (id, account_id, person_id, token_hash, created_at, seen_at, expires_at)
       values (gen_random_uuid(), $1, $2, sha256($3), now(), now(), now() + interval '1 day')`,
      [ours.accountId, personId, Buffer.from(personId)],
    );
    const grant = { role: 'technician', siteId: null, buildingId: building };
    const given = await call('POST', `/api/people/${personId}/grants`, boss, grant);
    expect([given.statusCode, given.json().grants]).toMatchObject([200, [{ role: 'guard' }, grant]]);
    expect(await sessionsOf()).toBe(0);
    expect(await lastDeed(personId)).toMatchObject({ action: 'person.granted', content: { after: grant } });
    const again = await call('POST', `/api/people/${personId}/grants`, boss, grant);
    expect([again.statusCode, again.json().details.why]).toEqual([409, 'has_right_already']);

    const { grants, version } = given.json();
    const url = `/api/people/${personId}/grants/${grants[1].id}`;
    expect((await call('DELETE', url, matching(version - 1))).statusCode).toBe(409);
    expect((await call('DELETE', url, matching(version))).json().grants).toHaveLength(1);
    expect(await lastDeed(personId)).toMatchObject({ action: 'person.revoked', content: { before: grant } });
  });

  test.each([
    ['a role of tenants for staff', { role: 'tenant_admin' }],
    ['an administrator of a building', { role: 'account_admin', buildingId: building }],
    ['a site and a building at once', { role: 'guard', siteId: site, buildingId: building }],
    ['a building of another account', { role: 'guard', buildingId: ours.tenants.get('bistro') }],
  ])('%s is refused', async (_what, grant) => {
    const { id } = await somebody();
    const reply = await call('POST', `/api/people/${id}/grants`, boss, grant);
    expect([reply.statusCode, reply.json().code]).toEqual([400, 'bad_input']);
  });

  test('of the last administrator stay, also when the last two leave at once', async () => {
    const { accountId } = theirs;
    const first = theirs.as.account_admin;
    const findAdmins = async (): Promise<Person[]> =>
      (await call('GET', '/api/people?role=account_admin&state=active', first)).json().items;
    const [only] = await findAdmins();
    const refused = await call('POST', `/api/people/${only!.id}/disable`, first);
    expect([refused.statusCode, refused.json().details.why]).toEqual([409, 'last_admin']);
    const grant = only!.grants.find(({ role }) => role === 'account_admin')!;
    const url = `/api/people/${only!.id}/grants/${grant.id}`;
    const kept = await call('DELETE', url, { ...first, 'if-match': `"${only!.version}"` });
    expect([kept.statusCode, kept.json().details.why]).toEqual([409, 'last_admin']);

    const second = await loggedIn(db, accountId, ['account_admin']);
    const other = (await findAdmins()).find(({ id }) => id !== only!.id)!;
    const both = await Promise.all([
      call('POST', `/api/people/${only!.id}/disable`, first),
      call('POST', `/api/people/${other.id}/disable`, second),
    ]);
    expect(both.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 409]);
  });

  test('to administer people are needed, and a fresh second factor', async () => {
    expect((await call('GET', '/api/people', engineer)).statusCode).toBe(403);
    await owner
      .updateTable('session')
      .set({ factorAt: new Date(Date.now() - 11 * 60_000) })
      .execute();
    const body = { login: 'late-comer', name: 'L', grants: [{ role: 'guard' }] };
    const late = await call('POST', '/api/people', boss, body);
    await owner.updateTable('session').set({ factorAt: new Date() }).execute();
    // Nobody here has a factor enrolled: to give one anew, one has to be enrolled first.
    expect([late.statusCode, late.json().code]).toEqual([403, 'second_factor_enrol']);
  });
});

describe('a tenant', () => {
  test('administers its own people with its own roles only', async () => {
    const listed = (await call('GET', '/api/my/people?limit=500', tenantBoss)).json().items as Person[];
    expect(new Set(listed.map(({ tenantId }) => tenantId))).toEqual(new Set([atelier]));
    const body = { login: `e-${newId()}`, name: 'Employee', grants: [{ role: 'tenant_employee' }] };
    const made = await call('POST', '/api/my/people', tenantBoss, {
      ...body,
      tenantId: ours.tenants.get('bistro'),
    });
    expect([made.statusCode, made.json().tenantId]).toEqual([201, atelier]);
    for (const role of ['guard', 'account_admin']) {
      const reply = await call('POST', `/api/my/people/${made.json().id}/grants`, tenantBoss, { role });
      expect([role, reply.statusCode]).toEqual([role, 400]);
    }
    const { id } = await somebody();
    for (const path of [`/api/my/people/${id}/disable`, `/api/people/${made.json().id}/disable`])
      expect([403, 404]).toContain((await call('POST', path, tenantBoss)).statusCode);
    const employee = await loggedIn(db, ours.accountId, ['tenant_employee'], atelier);
    expect((await call('GET', '/api/my/people', employee)).statusCode).toBe(403);
    const me = (await call('GET', '/api/me', employee)).json();
    expect(me.permissions).toEqual(['place.read']);
  });

  test('that is not of the account is refused for a person', async () => {
    const foreign = theirs.tenants.get('atelier');
    const body = { login: 'x-y-z', name: 'X', tenantId: foreign, grants: [{ role: 'tenant_admin' }] };
    const reply = await call('POST', '/api/people', boss, body);
    expect([reply.statusCode, reply.json().details[0].field]).toEqual([400, 'body.tenantId']);
  });
});

test('what was done to people is a whole chain', async () => {
  expect(await verifyAudit(owner, ours.accountId)).toMatchObject({ brokenAt: null });
});
