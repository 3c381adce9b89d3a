import type { Invitation } from '@parkline/contract';
import { describe, expect, test } from 'vitest';
import { givenPerson } from './identity/testing.ts';
import { newId } from './platform/ids.ts';
import { servePeople } from './testing-people.ts';

const { db, rows, sink, clock, app, post, mailsTo, linkIn, ours, theirs, atelier, boss, tenantBoss, call } =
  await servePeople();

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

  test('whoever invites is told where mails lie that no mail server takes, and nobody else is', async () => {
    const told = await call('GET', '/api/mail-setup', boss);
    expect([told.statusCode, told.json()]).toEqual([200, { folder: '/srv/mails' }]);
    expect((await call('GET', '/api/mail-setup', tenantBoss)).statusCode).toBe(403);
    expect((await app.inject({ url: '/api/mail-setup' })).statusCode).toBe(401);
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
    clock.ahead = 7 * 86_400_000 + 1_000;
    expect((await accept(old.link)).json().details.why).toBe('expired');
    clock.ahead = 0;
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
    clock.ahead = 60_000;
    await post();
    clock.ahead = 0;
    expect(mailsTo(email)).toHaveLength(1);
    expect((await accept(linkIn(mailsTo(email)[0]!.text))).statusCode).toBe(204);
  });
});
