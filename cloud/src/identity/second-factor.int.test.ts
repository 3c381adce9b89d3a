import { sql } from 'kysely';
import { Secret } from 'otpauth';
import { describe, expect, test } from 'vitest';
import { withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { auditTrail } from './audit.ts';
import { givenAccount, givenPerson } from './testing.ts';
import type { TestBrowser } from './testing-browser.ts';
import { createLoginPark } from './testing-logins.ts';

const database = await clonedDatabase();
const { owner } = database;
const { world, now, somebody, loggedIn, codeOf, enrol, give } = await createLoginPark(database);

/** How many of this database wait for a lock; asked beside a transaction, which would be told the same twice. */
async function waiting(): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(owner);
  return rows[0]!.n;
}

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
    world.clock += 600_000;
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
    world.clock += 600_000;
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
    world.rule = 'when_enrolled';
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
    world.clock += 1_000;
    expect(await give(other, '000001')).toBe('code_refused');
    world.clock += 1_000;
    expect(await give(one, codeOf(secret))).toBe('too_many_requests');
    world.clock += 1_000;
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
