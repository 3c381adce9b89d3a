import { createHash } from 'node:crypto';
import type { Invitation, Person } from '@parkline/contract';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMailSink } from '../../tests/support/mail.ts';
import {
  createLinkHolders,
  createPasswords,
  createPeopleAdmin,
  identityRoutes,
  invitationRoutes,
  letterJobs,
  linkRoutes,
  passwordLinkRoutes,
  peopleRoutes,
  verifyAudit,
} from './identity/index.ts';
import { createTestApp, givenPerson, loggedIn, testKeeper } from './identity/testing.ts';
import { newId } from './platform/ids.ts';
import { createMailer, mailJobs } from './platform/mail.ts';
import { doNextJob } from './platform/run-jobs.ts';
import { clonedDatabase } from './platform/testing.ts';
import { tenants } from './tenancy/index.ts';
import { givenFullAccount } from './testing.ts';

const { owner, app: db, worker, pool } = await clonedDatabase();
const rows = pool();
const sink = await startMailSink();
const log = pino({ enabled: false });

/** How far the clock of links is ahead of the world's. */
let ahead = 0;
const now = () => new Date(Date.now() + ahead);
const passwords = createPasswords();
const keeper = testKeeper(db);
const app = await createTestApp(db);
const admin = createPeopleAdmin({ db, now, newId, nameOfTenant: tenants.nameOf });
const holders = createLinkHolders({ db, now, newId, passwords });
/** Answers at once, and tells how long an answer was held back. */
const waited: number[] = [];
const wait = (ms: number) => Promise.resolve(void waited.push(ms));
const own = { db, now, newId, passwords, sessions: keeper, nameOfTenant: tenants.nameOf };
for (const plugin of [
  identityRoutes(own),
  peopleRoutes(admin),
  passwordLinkRoutes(admin),
  invitationRoutes(admin),
  linkRoutes({ holders, sessions: keeper, now, wait }),
])
  await app.register(plugin);
afterAll(async () => {
  await app.close();
  await sink.stop();
});

const mailer = createMailer({ url: sink.url, dir: '/nowhere', from: 'park@example.org', now, newId, log });
const handlers = { ...mailJobs(mailer), ...letterJobs({ mailer, now, publicUrl: 'https://park.example/' }) };
/** Sends what waits to be sent. */
async function post(): Promise<void> {
  while (await doNextJob({ db: worker, now, log, handlers }));
}
/** The mails to one mailbox, oldest first. */
const mailsTo = (to: string) => sink.mails.filter((mail) => mail.to.includes(to));
const linkIn = (text: string): string => /#([\w-]{43})\b/.exec(text)?.[1] ?? '';

const ours = await givenFullAccount(rows);
const theirs = await givenFullAccount(rows);
const atelier = ours.tenants.get('atelier')!;
const { account_admin: boss, tenant_admin: tenantBoss, facility_engineer: engineer } = ours.as;
const site = await idOf('site');
const building = await idOf('building');

async function idOf(table: string, accountId = ours.accountId): Promise<string> {
  const found = await rows.query<{ id: string }>(`select id from ${table} where account_id = $1 limit 1`, [
    accountId,
  ]);
  return found.rows[0]!.id;
}
type Headers = Record<string, string>;
const call = (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  url: string,
  headers: Headers = boss,
  body?: object,
) => app.inject({ method, url, headers, ...(body && { payload: body }) });
const matching = (version: number): Headers => ({ ...boss, 'if-match': `"${version}"` });

async function somebody(role = 'guard'): Promise<Person> {
  const login = `p-${newId()}`;
  const reply = await call('POST', '/api/people', boss, { login, name: 'Some Body', grants: [{ role }] });
  expect(reply.statusCode, reply.body).toBe(201);
  return reply.json();
}
const lastDeed = async (subject: string) =>
  (
    await rows.query<{ action: string; content: { before?: object; after?: object } }>(
      'select action, content from audit_event where subject_id = $1 order by id desc limit 1',
      [subject],
    )
  ).rows[0];

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

describe('an invitation', () => {
  const password = 'kestrel over the canal';
  async function invited(over: object = {}): Promise<Invitation & { link: string }> {
    const email = `${newId()}@example.org`;
    const body = { email, name: 'Lin Wei', language: 'zh-CN', grants: [{ role: 'guard' }], ...over };
    const reply = await call('POST', '/api/invitations', boss, body);
    expect(reply.statusCode, reply.body).toBe(201);
    await post();
    return { ...(reply.json() as Invitation), link: linkIn(mailsTo(email).at(-1)!.text) };
  }
  const accept = (token: string, over: object = {}) =>
    app.inject({ method: 'POST', url: '/api/invitation/accept', payload: { token, password, ...over } });
  const stateOf = async (id: string) =>
    ((await call('GET', '/api/invitations?limit=500')).json().items as Invitation[]).find(
      (one) => one.id === id,
    )!.state;

  test('comes by mail in the language of the reader, and its link is nowhere else', async () => {
    const { link, email, login } = await invited();
    const [mail] = mailsTo(email);
    expect(mail!.text).toContain(`https://park.example/invitation#${link}`);
    expect(mail!.text).toContain('邀请您使用');
    expect(login).toBe(email);
    const { rows: kept } = await rows.query<{ text: string }>(
      `select i::text || coalesce((select string_agg(j::text, '') from job j), '')
         || (select string_agg(e::text, '') from audit_event e) as text from invitation i`,
    );
    expect(kept.map(({ text }) => text).join()).not.toContain(link);
    const look = await app.inject({ method: 'POST', url: '/api/invitation', payload: { token: link } });
    expect(look.json()).toMatchObject({ login: email, name: 'Lin Wei' });
  });

  test('makes the person that it names, once, and logs in', async () => {
    const { id, link, email } = await invited();
    const weak = await accept(link, { password: 'passwordpassword' });
    expect([weak.statusCode, weak.json().details[0].field]).toEqual([400, 'body.password']);
    const entered = await accept(link, { name: '林薇' });
    expect([entered.statusCode, entered.cookies.length > 0]).toEqual([204, true]);
    const cookie = entered.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    expect((await app.inject({ url: '/api/me', headers: { cookie } })).json()).toMatchObject({
      ...{ login: email, name: '林薇', roles: ['guard'] },
    });
    const again = await accept(link);
    expect([again.statusCode, again.json().details.why]).toEqual([410, 'used']);
    expect(await stateOf(id)).toBe('accepted');
  });

  test('lets one in of two who come at once', async () => {
    const { link } = await invited();
    const both = await Promise.all([accept(link), accept(link)]);
    expect(both.map(({ statusCode }) => statusCode).toSorted()).toEqual([204, 410]);
  });

  test('that ran out, was revoked, was replaced or was made up is refused with the reason', async () => {
    const old = await invited();
    ahead = 7 * 86_400_000 + 1_000;
    expect((await accept(old.link)).json().details.why).toBe('expired');
    ahead = 0;
    const taken = await invited();
    expect((await call('POST', `/api/invitations/${taken.id}/revoke`)).statusCode).toBe(204);
    expect((await accept(taken.link)).json().details.why).toBe('revoked');
    const resent = await invited();
    expect((await call('POST', `/api/invitations/${resent.id}/resend`)).statusCode).toBe(200);
    expect((await accept(resent.link)).json().details.why).toBe('unknown');
    await post();
    const fresh = linkIn(mailsTo(resent.email).at(-1)!.text);
    expect([fresh === resent.link, (await accept(fresh)).statusCode]).toEqual([false, 204]);
    const invented = await accept('x'.repeat(43));
    expect([invented.statusCode, invented.json()]).toMatchObject([
      410,
      { code: 'link_refused', details: { why: 'unknown' } },
    ]);
  });

  test('is made once for a login, by who may give what it gives', async () => {
    const { email } = await invited();
    const body = { email, name: 'Lin', grants: [{ role: 'guard' }] };
    const twice = await call('POST', '/api/invitations', boss, body);
    expect([twice.statusCode, twice.json().details.why]).toEqual([409, 'invited_already']);
    const other = { email: 'bo@example.org', name: 'Bo', grants: [{ role: 'account_admin' }] };
    expect((await call('POST', '/api/my/invitations', tenantBoss, other)).statusCode).toBe(400);
    const colleague = { ...other, grants: [{ role: 'tenant_employee' }] };
    const mine = await call('POST', '/api/my/invitations', tenantBoss, colleague);
    expect([mine.statusCode, mine.json().tenantId]).toEqual([201, atelier]);
    const seen = (await call('GET', '/api/my/invitations', ours.bistro)).json().items as Invitation[];
    expect(seen.map(({ id }) => id)).not.toContain(mine.json().id);
  });

  test('to an address says the same whether anybody has it, and lets in who holds the mail alone', async () => {
    const known = await givenPerson(db, { accountId: ours.accountId, login: `${newId()}@example.org` });
    const far = await givenPerson(db, { accountId: theirs.accountId, login: `${newId()}@example.org` });
    const { email: elsewhere } = await invited(); // By the staff; no tenant's business.
    const invite = (email: string, over: object = {}) =>
      call('POST', '/api/my/invitations', tenantBoss, {
        ...{ email, name: 'Wei', grants: [{ role: 'tenant_employee' }], ...over },
      });
    const answers = [];
    for (const email of [`${newId()}@example.org`, known.login, far.login, elsewhere]) {
      const reply = await invite(email);
      const { state, tenantId } = reply.json();
      answers.push([reply.statusCode, state, tenantId]);
    }
    expect(answers).toEqual(Array(4).fill([201, 'open', atelier]));
    await post();
    // The mail goes to whose login it is, and that person stays who it was.
    const hers = linkIn(mailsTo(known.login).at(-1)!.text);
    expect((await accept(hers)).json().details.why).toBe('login_taken');
    // The login of somebody else for one's own mail box would be theirs to lose.
    const victim = `${newId()}@example.org`;
    const squatted = { login: victim.toUpperCase() };
    const field = (reply: { json(): { details: { field: string }[] } }) => reply.json().details[0]?.field;
    const mine = `${newId()}@example.org`;
    expect(field(await invite(mine, squatted))).toBe('body.login');
    expect(
      field(
        await call('POST', '/api/invitations', boss, {
          ...{ email: mine, name: 'W', ...squatted },
          grants: [{ role: 'guard' }],
        }),
      ),
    ).toBe('body.login');
    for (const [path, headers, role] of [
      ['/api/people', boss, 'guard'],
      ['/api/my/people', tenantBoss, 'tenant_employee'],
    ] as const)
      expect(field(await call('POST', path, headers, { login: victim, name: 'V', grants: [{ role }] }))).toBe(
        'body.login',
      );
  });

  test('is worth nothing once its maker is out', async () => {
    const maker = await givenPerson(db, { accountId: ours.accountId, roles: ['account_admin'] });
    const { id, link } = await invited();
    await rows.query('update invitation set invited_by = $1 where id = $2', [maker.id, id]);
    await call('POST', `/api/people/${maker.id}/disable`);
    expect((await accept(link)).json().details.why).toBe('revoked');
  });

  test('waits while the mail server is away', async () => {
    sink.refuse(true);
    const email = `${newId()}@example.org`;
    await call('POST', '/api/invitations', boss, { email, name: 'Lin', grants: [{ role: 'guard' }] });
    await post();
    const { rows: waiting } = await rows.query<{ attempts: number; last_error: string }>(
      `select attempts, last_error from job where task = 'invitation.send'`,
    );
    expect(waiting).toMatchObject([{ attempts: 1, last_error: 'the mail server took no mail' }]);
    sink.refuse(false);
    ahead = 60_000;
    await post();
    ahead = 0;
    expect(mailsTo(email)).toHaveLength(1);
    expect((await accept(linkIn(mailsTo(email)[0]!.text))).statusCode).toBe(204);
  });
});

describe('a forgotten password', () => {
  const next = 'heron beside the pump house';
  let person: Awaited<ReturnType<typeof givenPerson>>;
  const ask = (login: string) =>
    app.inject({ method: 'POST', url: '/api/password-reset', payload: { login } });
  const reset = (token: string, password = next) =>
    app.inject({ method: 'POST', url: '/api/password-reset/complete', payload: { token, password } });
  const login = (password: string) =>
    app.inject({ method: 'POST', url: '/api/login', payload: { login: person.login, password } });
  beforeAll(async () => {
    person = await givenPerson(db, { accountId: ours.accountId, login: `reset-${newId()}@example.org` });
  });

  test('is answered alike and as late for a login that is known and one that is not', async () => {
    waited.length = 0;
    const [known, unknown] = [await ask(person.login.toUpperCase()), await ask('nobody-at-all')];
    const bare = ({ statusCode, body, headers }: typeof known) => [
      statusCode,
      body,
      Object.keys(headers).sort(),
    ];
    expect(bare(known)).toEqual(bare(unknown));
    expect(waited).toEqual([300, 300]);
    await post();
    expect(mailsTo(person.login)).toHaveLength(1);
  });

  test('is replaced through the link once, and every session ends', async () => {
    const token = linkIn(mailsTo(person.login)[0]!.text);
    const { rows: kept } = await rows.query<{ token_hash: Buffer }>('select token_hash from password_reset');
    expect(kept.map(({ token_hash }) => token_hash.toString('hex'))).toEqual([
      createHash('sha256').update(token).digest('hex'),
    ]);
    const cookie = (await login(person.password)).cookies
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    expect((await reset(token, 'passwordpassword')).statusCode).toBe(400);
    expect((await reset(token)).statusCode).toBe(204);
    expect((await app.inject({ url: '/api/me', headers: { cookie } })).statusCode).toBe(401);
    expect((await login(person.password)).statusCode).toBe(401);
    expect((await login(next)).statusCode).toBe(204);
    expect((await reset(token)).json().details.why).toBe('used');
    await post();
    expect(mailsTo(person.login).at(-1)!.text).toMatch(/已通过邮件链接更改/);
  });

  test('is chosen through a link that an administrator shows to somebody without an address, once, for a day', async () => {
    const wang = await somebody('technician');
    const made = async (headers = boss) => call('POST', `/api/people/${wang.id}/password-link`, headers);
    const [first, second] = [(await made()).json(), (await made()).json()];
    const reachable = await givenPerson(db, { accountId: ours.accountId, login: `${newId()}@example.org` });
    const taken = await call('POST', `/api/people/${reachable.id}/password-link`);
    expect([taken.statusCode, taken.json().details.why]).toEqual([409, 'has_address']);
    const mails = sink.mails.length;
    expect((await reset(first.token)).json().details.why).toBe('used');
    ahead = 86_401_000;
    expect((await reset(second.token)).json().details.why).toBe('expired');
    ahead = 3_700_000;
    expect((await reset(second.token)).statusCode).toBe(204);
    ahead = 0;
    const payload = { login: wang.login, password: next };
    expect((await app.inject({ method: 'POST', url: '/api/login', payload })).statusCode).toBe(204);
    await post();
    expect(sink.mails.length).toBe(mails); // There is nowhere to write to.
    expect((await lastDeed(wang.id))?.action).toBe('person.password_reset');
    expect((await made(engineer)).statusCode).toBe(403);
    await call('POST', `/api/people/${wang.id}/disable`);
    expect((await made()).json().details.why).toBe('disabled');
  });

  test('has a link for thirty minutes, three an hour, and none for who is disabled', async () => {
    const before = mailsTo(person.login).length;
    for (let i = 0; i < 4; i++) await ask(person.login);
    await post();
    const sent = mailsTo(person.login).slice(before);
    expect(sent).toHaveLength(2); // One of the three of this hour was used above.
    ahead = 1_801_000;
    expect((await reset(linkIn(sent[0]!.text))).json().details.why).toBe('expired');
    ahead = 0;
    await call('POST', `/api/people/${person.id}/disable`);
    expect((await reset(linkIn(sent[1]!.text))).statusCode).toBe(410);
    const limited = await ask(person.login);
    expect([limited.statusCode, Number(limited.headers['retry-after']) > 0]).toEqual([429, true]);
  });
});

test('what was done to people is a whole chain', async () => {
  expect(await verifyAudit(owner, ours.accountId)).toMatchObject({ brokenAt: null });
});
