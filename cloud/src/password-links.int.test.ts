import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { givenPerson } from './identity/testing.ts';
import { newId } from './platform/ids.ts';
import { servePeople } from './testing-people.ts';

const {
  db,
  rows,
  sink,
  clock,
  app,
  waited,
  post,
  mailsTo,
  linkIn,
  ours,
  boss,
  engineer,
  call,
  somebody,
  lastDeed,
} = await servePeople();

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
    clock.ahead = 86_401_000;
    expect((await reset(second.token)).json().details.why).toBe('expired');
    clock.ahead = 3_700_000;
    expect((await reset(second.token)).statusCode).toBe(204);
    clock.ahead = 0;
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
    clock.ahead = 1_801_000;
    expect((await reset(linkIn(sent[0]!.text))).json().details.why).toBe('expired');
    clock.ahead = 0;
    await call('POST', `/api/people/${person.id}/disable`);
    expect((await reset(linkIn(sent[1]!.text))).statusCode).toBe(410);
    const limited = await ask(person.login);
    expect([limited.statusCode, Number(limited.headers['retry-after']) > 0]).toEqual([429, true]);
  });
});
