import type { Role } from '@parkline/contract';
import pino from 'pino';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { auditTrail, createRefusalNotes, sessions, verifyAudit } from './identity/index.ts';
import { givenAccount, givenPerson, headersOf, loggedIn } from './identity/testing.ts';
import { withAccount } from './platform/db.ts';
import { newId } from './platform/ids.ts';
import type { Refusal } from './platform/refusals.ts';
import { clonedDatabase, inLanes } from './platform/testing.ts';
import { serveApi } from './testing-api.ts';

const database = await clonedDatabase();
const { owner, app: db } = database;
const log = pino({ enabled: false });
const { app } = await serveApi(database, {
  refusals: createRefusalNotes({ db, now: () => new Date(), log }),
});
afterAll(() => app.close());

let accountId: string;
let ada: string;
beforeEach(async () => {
  accountId = await givenAccount(owner);
  ada = (await givenPerson(owner, { accountId })).id;
});

/** What was refused, oldest first. */
const refused = async () =>
  (
    await withAccount(db, accountId, (trx) => auditTrail.page(trx, { result: 'refused', limit: 500 }))
  ).reverse();
const isWhole = async () =>
  (await withAccount(owner, accountId, (trx) => verifyAudit(trx, accountId))).brokenAt === null;

describe('what is refused over the API', () => {
  const ask = async (method: 'GET' | 'POST' | 'PUT', url: string, headers = {}, payload?: object) => {
    const sent = { method, url, headers: { 'if-match': '"1"', ...headers }, ...(payload && { payload }) };
    const reply = await app.inject(sent);
    return [reply.statusCode, (reply.json() as { code: string }).code];
  };
  const as = (role: Role) => loggedIn(owner, accountId, [role]);

  /** Headers of an administrator who has given no second factor. */
  async function unproven() {
    const { id: personId } = await givenPerson(owner, { accountId, roles: ['account_admin'] });
    const [token, at, expiresAt] = [newId(), new Date(), new Date(Date.now() + 3_600_000)];
    await withAccount(owner, accountId, (trx) =>
      sessions.open(trx, { id: newId(), accountId, personId, token, at, expiresAt }),
    );
    return headersOf(token);
  }

  test('for want of a right, a second factor or the thing itself is noted, without what was sent', async () => {
    const [guard, boss, unsure] = [await as('guard'), await as('account_admin'), await unproven()];
    const foreign = await givenPerson(owner, { accountId: await givenAccount(owner) });
    const id = newId();
    const secret = { name: 'a secret body' };
    expect(await ask('POST', `/api/faults/${id}/acknowledge`, guard)).toEqual([403, 'forbidden']);
    expect(await ask('POST', `/api/people/${ada}/disable`, unsure)).toEqual([403, 'second_factor_enrol']);
    expect(await ask('POST', `/api/people/${foreign.id}/disable`, boss)).toEqual([404, 'not_found']);
    expect(await ask('PUT', '/api/fault-rules/no-such', guard, secret)).toEqual([403, 'forbidden']);
    // Reading, and what is wrong with the request itself, is no entry.
    expect(await ask('GET', '/api/audit', guard)).toEqual([403, 'forbidden']);
    expect((await ask('POST', '/api/people', boss, secret))[0]).toBe(400);
    const entries = await refused();
    expect(entries.map(({ subjectId, reason, content }) => [reason, subjectId, content?.details])).toEqual([
      ['forbidden', id, { route: 'POST /api/faults/:id/acknowledge' }],
      ['second_factor_enrol', ada, { route: 'POST /api/people/:id/disable' }],
      ['not_found', foreign.id, { route: 'POST /api/people/:id/disable' }],
      ['forbidden', null, { route: 'PUT /api/fault-rules/:key' }],
    ]);
    expect(
      entries.every(({ personName, content }) => personName !== null && content?.ip === '127.0.0.1'),
    ).toBe(true);
    expect(JSON.stringify(entries)).not.toContain('secret');
    expect(await isWhole()).toBe(true);
  });

  test('to a program is noted with its key, also where only people may', async () => {
    const boss = await as('account_admin');
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
    const payload = { name: 'reader', scopes: ['place.read'], expiresAt };
    const made = await app.inject({ method: 'POST', url: '/api/api-keys', headers: boss, payload });
    const { key, id } = made.json<{ key: string; id: string }>();
    const bearer = { authorization: `Bearer ${key}` };
    expect(await ask('POST', `/api/people/${ada}/disable`, bearer)).toEqual([403, 'forbidden']);
    expect(await ask('POST', '/api/logout', bearer)).toEqual([403, 'forbidden']);
    const keys = (await refused()).map(({ content }) => (content as { apiKeyId?: string }).apiKeyId);
    expect(keys).toEqual([id, id]);
  });

  test('as a login is noted of the person it was tried as; of a login that nobody has there is nothing', async () => {
    const { id, login, name } = await givenPerson(owner, { accountId });
    for (const typed of [login, login, `nobody-${login}`])
      expect(await ask('POST', '/api/login', {}, { login: typed, password: 'not this one' })).toEqual([
        ...[401, 'login_refused'],
      ]);
    // Not before the answer: its time must not tell whether there is such a person.
    await vi.waitFor(async () => expect(await refused()).toHaveLength(1), { timeout: 20_000 });
    expect((await refused())[0]).toMatchObject({
      ...{
        action: 'session.refused',
        personId: null,
        subjectId: id,
        subjectName: name,
        reason: 'login_refused',
      },
    });
  });
});

describe('in the audit', () => {
  let clock = Date.parse('2026-11-01T08:00:00Z');
  const notes = createRefusalNotes({ db, now: () => new Date(clock), log });
  const refusal = (more: object = {}): Refusal => ({
    ...{
      accountId,
      personId: ada,
      by: 'session',
      route: 'PUT /api/things/:id',
      reason: 'forbidden',
      ip: '203.0.113.7',
    },
    ...more,
  });
  /** What stands in the audit, oldest first. */
  const noted = async () =>
    (await refused()).map(({ personId, action, reason, content }) => [
      personId === ada ? 'ada' : personId,
      action,
      reason,
      content?.details,
    ]);

  test('are an entry at once, and what comes again within a minute is one with its count', async () => {
    const route = 'PUT /api/things/:id';
    for (let i = 0; i < 50; i += 1) await notes.note(refusal());
    await notes.note(refusal({ reason: 'not_found' }));
    const first = [
      ['ada', 'request.refused', 'forbidden', { route }],
      ['ada', 'request.refused', 'not_found', { route }],
    ];
    expect(await noted()).toEqual(first);
    clock += 60_000;
    await notes.settle();
    expect(await noted()).toEqual([...first, ['ada', 'request.refused', 'forbidden', { route, again: 49 }]]);
    await notes.note(refusal()); // The next minute.
    expect(await noted()).toHaveLength(4);
    await notes.settle(true);
    expect(await noted()).toHaveLength(4); // Nothing came again.
  });

  test('of one person make 21 entries a minute at most, and all are counted', async () => {
    for (let i = 0; i < 2_000; i += 1) await notes.note(refusal({ route: `PUT /api/things${i % 40}` }));
    await notes.close();
    const all = await noted();
    expect(all).toHaveLength(21);
    const counts = all.map(([, , , details]) => details as { again?: number; further?: number });
    const sum = counts.reduce((n, { again, further }) => n + (again ?? further ?? 1), 0);
    expect(sum).toBe(2_000);
    expect(counts.at(-1)).toEqual({ further: 1_500 });
  });

  test('are all written before the process ends, also where their minute has just ended', async () => {
    for (const n of [1, 2, 3]) await notes.note(refusal({ route: `PUT /api/things${n}` }));
    for (const n of [1, 2, 3]) await notes.note(refusal({ route: `PUT /api/things${n}` }));
    clock += 60_000;
    void notes.settle();
    await notes.close();
    expect(await noted()).toHaveLength(6);
  });

  test('of an account make 301 at most, whoever asks; failed logins count with them', async () => {
    const login = { personId: null, by: null, reason: 'login_refused' };
    await inLanes(400, 8, (i) =>
      Promise.all(
        [1, 2].map(() =>
          notes.note(
            refusal({ ...login, subjectId: `00000000-0000-7000-8000-${String(i).padStart(12, '0')}` }),
          ),
        ),
      ),
    );
    await notes.close();
    const all = await noted();
    expect(all).toHaveLength(201); // A hundred, what came again of each, and the others.
    expect(all.at(-1)).toEqual([null, 'request.refused', null, { further: 600 }]);
    expect(await isWhole()).toBe(true);
  });
});
