import { randomUUID } from 'node:crypto';
import Type from 'typebox';
import { afterAll, expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from './testing.ts';
import { actorOf } from '../platform/access.ts';
import { createDb, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { idempotencyRetention } from '../platform/idempotency.ts';
import { clonedDatabase } from '../platform/testing.ts';

const { owner, app: db, pool } = await clonedDatabase();
const accountId = await givenAccount(owner);
const me = await loggedIn(owner, accountId);
const colleague = await loggedIn(owner, accountId);

/** What the deed below waits for before it answers; set by the test that wants to look at it half-way. */
let pause = Promise.resolve();
let deeds = 0;

const app = await createTestApp(db);
const config = { permission: 'session' };
const deed = (fail: 'not' | 'refuse' | 'break after', once = false) => ({
  config: { ...config, once },
  schema: { body: Type.Object({ word: Type.String() }) },
  handler: async (request: Parameters<typeof actorOf>[0]) => {
    const actor = actorOf(request);
    await withActor(db, actor, async (trx) => {
      await trx.updateTable('person').set({ name: 'touched' }).where('id', '=', actor.personId).execute();
      if (fail === 'refuse') throw new AppError('conflict', 'not so');
    });
    deeds += 1;
    await pause;
    if (fail === 'break after') throw new Error('fell over');
    return { deed: deeds };
  },
});
app.post('/api/deeds', deed('not'));
app.post('/api/refusals', deed('refuse'));
app.post('/api/breaks', deed('break after'));
app.post('/api/secrets', deed('not', true));
await app.ready();
afterAll(() => app.close());

const post = (url: string, key: string, word = 'a', headers = me) =>
  app.inject({ method: 'POST', url, headers: { ...headers, 'idempotency-key': key }, payload: { word } });
const codeOf = async (asked: ReturnType<typeof post>) => {
  const reply = await asked;
  return [reply.statusCode, reply.json().code];
};

test('the same request under the same key is done once and answered the same', async () => {
  const key = randomUUID();
  const before = deeds;
  const first = await post('/api/deeds', key);
  const second = await post('/api/deeds', key);
  expect(deeds).toBe(before + 1);
  expect([second.statusCode, second.json()]).toEqual([200, first.json()]);
  expect([first, second].map(({ headers }) => headers['idempotency-replayed'])).toEqual([undefined, 'true']);
  expect(second.headers['content-type']).toBe(first.headers['content-type']);
});

test('a key means nothing between people, and nothing on another address or body', async () => {
  const key = randomUUID();
  const before = deeds;
  await post('/api/deeds', key);
  expect((await post('/api/deeds', key, 'a', colleague)).statusCode).toBe(200);
  expect(deeds).toBe(before + 2);
  expect(await codeOf(post('/api/deeds', key, 'b'))).toEqual([422, 'unprocessable']);
  expect(await codeOf(post('/api/secrets', key, 'a'))).toEqual([422, 'unprocessable']);
  expect(deeds).toBe(before + 2);
});

test('of two at once one is done and the other is told to ask again', async () => {
  const key = randomUUID();
  const before = deeds;
  let go = (): void => undefined;
  pause = new Promise((resolve) => (go = resolve));
  const first = post('/api/deeds', key);
  await expect.poll(() => deeds).toBe(before + 1);
  const second = await post('/api/deeds', key);
  // The deed is committed and its answer is on its way.
  expect([second.statusCode, second.json().code]).toEqual([409, 'already_done']);
  go();
  pause = Promise.resolve();
  expect((await first).statusCode).toBe(200);
  expect((await post('/api/deeds', key)).json()).toEqual((await first).json());
});

test('what was refused may be tried again under its key', async () => {
  const key = randomUUID();
  expect(await codeOf(post('/api/refusals', key))).toEqual([409, 'conflict']);
  expect(await codeOf(post('/api/refusals', key))).toEqual([409, 'conflict']);
  expect((await post('/api/deeds', key)).statusCode).toBe(200);
});

test('a deed that was committed is not done again though its answer was an error', async () => {
  const key = randomUUID();
  const before = deeds;
  expect((await post('/api/breaks', key)).statusCode).toBe(500);
  expect(await codeOf(post('/api/breaks', key))).toEqual([409, 'already_done']);
  expect(deeds).toBe(before + 1);
});

test('an answer that holds a secret is not kept', async () => {
  const key = randomUUID();
  expect((await post('/api/secrets', key)).statusCode).toBe(200);
  expect(await codeOf(post('/api/secrets', key))).toEqual([409, 'already_done']);
  const { body } = await owner
    .selectFrom('idempotencyKey')
    .select('body')
    .where('key', '=', key)
    .executeTakeFirstOrThrow();
  expect(body).toBeNull();
});

/** As a process leaves it that dies before its deed commits. */
async function orphan(key: string, begunMsAgo: number): Promise<void> {
  await post('/api/deeds', key);
  await owner
    .updateTable('idempotencyKey')
    .set({
      status: null,
      headers: null,
      body: null,
      doneAt: null,
      begunAt: new Date(Date.now() - begunMsAgo),
    })
    .where('key', '=', key)
    .execute();
}

test('a try whose process died before its deed is repeated, once it cannot be under way any more', async () => {
  const key = randomUUID();
  await orphan(key, 0);
  const early = await post('/api/deeds', key);
  expect([early.statusCode, early.json().code, early.headers['retry-after']]).toEqual([
    409,
    'in_progress',
    '1',
  ]);
  await orphan(`${key}x`, 61_000);
  const before = deeds;
  expect((await post('/api/deeds', `${key}x`)).statusCode).toBe(200);
  expect(deeds).toBe(before + 1);
});

test('a try that another has taken over meanwhile is undone', async () => {
  const key = randomUUID();
  const before = deeds;
  const row = owner.selectFrom('idempotencyKey').select('attempt').where('key', '=', key);
  const held = Promise.withResolvers<undefined>();
  const letGo = Promise.withResolvers<undefined>();
  const holder = owner.transaction().execute(async (trx) => {
    await trx.selectFrom('person').select('id').where('accountId', '=', accountId).forNoKeyUpdate().execute();
    held.resolve(undefined);
    await letGo.promise;
  });
  await held.promise;
  const late = codeOf(post('/api/deeds', key)); // Has its key in hand and waits for the person's row.
  await expect.poll(() => row.execute(), { timeout: 15_000 }).toHaveLength(1);
  await owner.updateTable('idempotencyKey').set({ attempt: 2 }).where('key', '=', key).execute();
  letGo.resolve(undefined);
  await holder;
  expect(await late).toEqual([409, 'in_progress']);
  expect([deeds, await row.execute()]).toEqual([before, [{ attempt: 2 }]]);
});

test('answers are kept for a day', async () => {
  const key = randomUUID();
  await post('/api/deeds', key);
  const yesterday = new Date(Date.now() - 86_400_001);
  await owner.updateTable('idempotencyKey').set({ begunAt: yesterday }).where('key', '=', key).execute();
  const before = deeds;
  expect((await post('/api/deeds', key, 'another')).statusCode).toBe(200);
  expect(deeds).toBe(before + 1);
});

test('answers that nobody asks for again are swept, for all accounts and unread', async () => {
  const [old, young] = [randomUUID(), randomUUID()];
  for (const key of [old, young]) await post('/api/deeds', key);
  const yesterday = new Date(Date.now() - 86_400_001);
  await owner.updateTable('idempotencyKey').set({ begunAt: yesterday }).where('key', '=', old).execute();
  const worker = createDb(pool('parkline_worker'));
  expect(await idempotencyRetention.drop(worker, new Date())).toBeGreaterThanOrEqual(1);
  expect(await idempotencyRetention.drop(worker, new Date())).toBe(0);
  const left = await owner
    .selectFrom('idempotencyKey')
    .select('key')
    .where('key', 'in', [old, young])
    .execute();
  expect(left).toEqual([{ key: young }]);
  await expect(worker.selectFrom('idempotencyKey').select('body').execute()).rejects.toThrow(
    'permission denied',
  );
});

test.each(['', 'with space', 'ü', 'x'.repeat(201)])('the key %j is refused', async (key) => {
  expect(await codeOf(post('/api/deeds', key))).toEqual([400, 'bad_input']);
});
