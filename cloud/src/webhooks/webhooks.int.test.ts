import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delivery, MadeWebhook, Webhook } from '@parkline/contract';
import pino from 'pino';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { withAccount } from '../platform/db.ts';
import { happened } from '../platform/events.ts';
import { newId } from '../platform/ids.ts';
import { doNextJob } from '../platform/run-jobs.ts';
import { createSecrets, newKeyLine } from '../platform/secrets.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { startDue, webhookJobs, webhookRetention } from './sending.ts';
import { webhookRoutes } from './routes.ts';
import { createSend } from './send.ts';
import { documentedCheck, type Heard, startReceiver } from './testing-receiver.ts';

const { owner, app: db, worker } = await clonedDatabase();
const accountId = await givenAccount(owner);
const admin = await loggedIn(owner, accountId, ['account_admin']);
const engineer = await loggedIn(owner, accountId, ['facility_engineer']);
const stranger = await loggedIn(owner, await givenAccount(owner), ['account_admin']);

const keyFile = join(mkdtempSync(join(tmpdir(), 'parkline-')), 'keys');
writeFileSync(keyFile, newKeyLine('k1'));
const secrets = createSecrets(keyFile);
/** Moves the clock of routes and sender; the receiver's own stays. */
let aheadMs = 0;
const now = () => new Date(Date.now() + aheadMs);

const app = await createTestApp(db);
await app.register(webhookRoutes({ db, now, newId, secrets, allowPrivate: true }));
await app.ready();

const { heard, answer, url, stop } = await startReceiver();
afterAll(async () => {
  stop();
  await app.close();
});

const log = pino({ enabled: false });
const { signal } = new AbortController();
const deps = { db: worker, now, log, secrets, send: createSend({ allowPrivate: true }), chance: () => 0 };
/** Passes on what happened and sends what is due, until nothing is. */
async function work(): Promise<void> {
  while (await doNextJob({ db: worker, now, log, handlers: webhookJobs({ newId }) }));
  const running = new Map<Promise<void>, string>();
  while ((await startDue(deps, running, signal)) > 0) await Promise.all(running.keys());
}

const call = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object, headers = {}) =>
  app.inject({ method, url: path, headers: { ...admin, ...headers }, ...(payload && { payload }) });
async function given(kinds = ['fault.raised']): Promise<MadeWebhook> {
  return (await call('POST', '/api/webhooks', { name: 'Accounting', url, kinds })).json<MadeWebhook>();
}
const raise = (kind: 'fault.raised' | 'lease.moved_in' = 'fault.raised', faultId = newId()) =>
  withAccount(worker, accountId, (trx) =>
    happened(trx, newId, { accountId, kind, at: now(), data: { faultId } }),
  );
const deliveriesOf = async (id: string) =>
  (await call('GET', `/api/webhooks/${id}/deliveries`)).json<{ items: Delivery[] }>().items;
const shownOf = async (id: string) => (await call('GET', `/api/webhooks/${id}`)).json<Webhook>();

beforeEach(async () => {
  await owner.deleteFrom('webhook').execute();
  heard.length = 0;
  answer.status = 200;
  aheadMs = 0;
});

test('what happens is told to who wants it, once, signed as the documentation says', async () => {
  const hook = await given();
  await given(['lease.moved_in']);
  const faultId = newId();
  await raise('fault.raised', faultId);
  await work();
  expect(heard).toHaveLength(1);
  const [{ headers, body }] = heard as [Heard];
  expect(JSON.parse(body)).toEqual({
    type: 'fault.raised',
    timestamp: expect.any(String),
    data: { faultId },
  });
  const verify = documentedCheck();
  expect(verify(hook.secret, headers, body)).toBe(true);
  expect(verify(hook.secret, headers, `${body} `)).toBe(false);
  expect(verify((await given()).secret, headers, body)).toBe(false);
  const old = { ...headers, 'webhook-timestamp': String(Math.floor(Date.now() / 1_000) - 400) };
  expect(verify(hook.secret, old, body)).toBe(false);

  const [delivery] = await deliveriesOf(hook.id);
  expect(delivery).toMatchObject({
    state: 'delivered',
    status: 200,
    reply: 'answer 200',
    attempts: 1,
    nextAt: null,
  });
  expect(delivery!.eventId).toBe(headers['webhook-id']);
});

test('an event of a transaction that fails is told to nobody', async () => {
  await given();
  const failing = withAccount(worker, accountId, async (trx) => {
    await happened(trx, newId, { accountId, kind: 'fault.raised', at: now(), data: {} });
    throw new Error('undone');
  });
  await expect(failing).rejects.toThrow('undone');
  await work();
  expect(heard).toEqual([]);
});

test('a receiver that is down is told later, by the same id', async () => {
  const hook = await given();
  answer.status = 503;
  await raise();
  await work();
  expect((await deliveriesOf(hook.id))[0]).toMatchObject({
    state: 'waiting',
    status: 503,
    error: 'HTTP 503',
    attempts: 1,
  });
  expect((await shownOf(hook.id)).failingSince).not.toBeNull();
  await work();
  expect(heard).toHaveLength(1); // Not before its time.
  answer.status = 200;
  aheadMs = 5_000;
  await work();
  expect(heard.map(({ headers }) => headers['webhook-id'])).toEqual(
    Array(2).fill(heard[0]!.headers['webhook-id']),
  );
  expect((await shownOf(hook.id)).failingSince).toBeNull();
});

test('a process that dies while it sends leaves the delivery to the next one', async () => {
  const hook = await given();
  await raise();
  const dying = new AbortController();
  const hanging = {
    ...deps,
    send: async () => {
      dying.abort();
      return { status: null, reply: null, error: 'gone' };
    },
  };
  while (await doNextJob({ db: worker, now, log, handlers: webhookJobs({ newId }) }));
  const running = new Map<Promise<void>, string>();
  await startDue(hanging, running, dying.signal);
  await Promise.all(running.keys());
  await work();
  expect(heard).toEqual([]);
  aheadMs = 60_000;
  await work();
  expect([heard.length, (await deliveriesOf(hook.id))[0]!.state]).toEqual([1, 'delivered']);
});

test('after a day a delivery is given up, after three of failures only the subscription is paused', async () => {
  const hook = await given();
  answer.status = 500;
  await raise();
  await work();
  aheadMs = 86_400_000;
  await work();
  expect((await deliveriesOf(hook.id))[0]).toMatchObject({ state: 'failed', nextAt: null });
  expect((await shownOf(hook.id)).pausedAt).toBeNull();
  aheadMs = 3 * 86_400_000;
  await raise();
  await work();
  expect(await shownOf(hook.id)).toMatchObject({ pausedWhy: 'failing' });
  const entries = await owner
    .selectFrom('auditEvent')
    .select(['action', 'personId'])
    .where('subjectId', '=', hook.id)
    .where('action', '=', 'webhook.paused')
    .execute();
  expect(entries).toEqual([{ action: 'webhook.paused', personId: null }]);
});

test('a receiver that says it is gone is left alone; let go on, it hears what waited', async () => {
  const hook = await given();
  answer.status = 410;
  await raise();
  await work();
  const paused = await shownOf(hook.id);
  expect(paused.pausedWhy).toBe('gone');
  await raise();
  aheadMs = 10_000;
  answer.status = 200;
  await work();
  expect(heard).toHaveLength(1);
  const path = `/api/webhooks/${hook.id}`;
  const resumed = await call('PATCH', path, { paused: false }, { 'if-match': `"${paused.version}"` });
  expect(resumed.json<Webhook>()).toMatchObject({ pausedAt: null, failingSince: null });
  await work();
  expect(heard).toHaveLength(3);
});

test('a slow or failing receiver holds up its own deliveries only', async () => {
  const hook = await given();
  for (let i = 0; i < 20; i += 1) await raise();
  while (await doNextJob({ db: worker, now, log, handlers: webhookJobs({ newId }) }));
  const slow = Promise.withResolvers<{ status: number; reply: string; error: null }>();
  const running = new Map<Promise<void>, string>();
  const hanging = { ...deps, send: () => slow.promise };
  expect(await startDue(hanging, running, signal)).toBe(2);
  expect(await startDue(hanging, running, signal)).toBe(0);
  await given();
  await raise();
  while (await doNextJob({ db: worker, now, log, handlers: webhookJobs({ newId }) }));
  expect(await startDue({ ...deps }, running, signal)).toBe(1);
  await expect.poll(() => heard.length, { timeout: 15_000 }).toBe(1);
  slow.resolve({ status: 200, reply: '', error: null });
  await Promise.all(running.keys());
  await work();
  expect((await deliveriesOf(hook.id)).filter(({ state }) => state !== 'delivered')).toEqual([]);
});

test('one delivery or a span of time is sent again on demand', async () => {
  const hook = await given();
  for (let i = 0; i < 3; i += 1) await raise();
  await work();
  const path = `/api/webhooks/${hook.id}/replay`;
  const [last] = await deliveriesOf(hook.id);
  expect((await call('POST', path, { deliveryId: last!.id })).json()).toEqual({ deliveries: 1 });
  await work();
  expect(heard.at(-1)!.headers['webhook-id']).toBe(last!.eventId);
  const from = new Date(Date.now() - 3_600_000).toISOString();
  const to = new Date(Date.now() + 3_600_000).toISOString();
  expect((await call('POST', path, { from, to })).json()).toEqual({ deliveries: 3 });
  await work();
  expect(heard).toHaveLength(7);
  expect((await call('POST', path, {})).statusCode).toBe(400);
  expect((await call('POST', path, { deliveryId: newId() })).statusCode).toBe(404);
});

test('a test is sent whatever kinds are wanted', async () => {
  const hook = await given(['lease.moved_in']);
  const asked = await call('POST', `/api/webhooks/${hook.id}/test`);
  expect([asked.statusCode, asked.json<Delivery>().state]).toEqual([202, 'waiting']);
  await work();
  expect(JSON.parse(heard[0]!.body)).toMatchObject({ type: 'webhook.test', data: { webhookId: hook.id } });
});

test('the secret is told once and sealed, an edit names its version, and others see nothing', async () => {
  const { secret, ...hook } = await given();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const path = `/api/webhooks/${hook.id}`;
  expect((await call('GET', path)).json()).toEqual(hook);
  const row = await owner.selectFrom('webhook').select('sealedSecret').executeTakeFirstOrThrow();
  expect(row.sealedSecret).toMatch(/^sealed:v1:k1:/);
  expect((await call('PATCH', path, { name: 'B' })).statusCode).toBe(428);
  expect((await call('PATCH', path, { name: 'B' }, { 'if-match': '"1"' })).json()).toMatchObject({
    name: 'B',
    version: 2,
  });
  const stale = await call('DELETE', path, undefined, { 'if-match': '"1"' });
  expect([stale.statusCode, stale.json().details.current.name]).toEqual([409, 'B']);
  expect((await call('GET', path, undefined, stranger)).statusCode).toBe(404);
  expect((await call('GET', path, undefined, engineer)).statusCode).toBe(403);
  expect((await call('DELETE', path, undefined, { 'if-match': '"2"' })).statusCode).toBe(204);
});

test('a secret that is replaced signs for another day beside those that took its place', async () => {
  const first = await given();
  const path = `/api/webhooks/${first.id}/rotate-secret`;
  const rotated = async () => (await call('POST', path)).json<MadeWebhook>();
  const { secret, ...shown } = await rotated();
  expect(shown).toEqual(await shownOf(first.id));
  expect(Date.parse(shown.formerSecretUntil!) - Date.now()).toBeGreaterThan(86_300_000);
  const third = await rotated();
  await raise();
  await work();
  const [{ headers, body }] = heard as [Heard];
  const verify = documentedCheck();
  const known = [first.secret, secret, third.secret, (await given()).secret];
  expect(known.map((one) => verify(one, headers, body))).toEqual([true, true, true, false]);
  const formers = await owner.selectFrom('webhookFormerSecret').select('sealedSecret').execute();
  expect(formers.map(({ sealedSecret }) => sealedSecret.slice(0, 13))).toEqual(
    Array(2).fill('sealed:v1:k1:'),
  );

  await rotated();
  await rotated();
  expect(await rotated()).toMatchObject({ code: 'conflict', details: { why: 'too_many' } });
  expect((await call('POST', path, undefined, stranger)).statusCode).toBe(404);
  expect((await call('POST', path, undefined, engineer)).statusCode).toBe(403);

  aheadMs = 86_400_000;
  await raise();
  await work();
  const [signature, ...more] = String(heard.at(-1)!.headers['webhook-signature']).split(' ');
  expect([signature!.slice(0, 3), more]).toEqual(['v1,', []]);
  const { drop } = webhookRetention.find(({ what }) => what === 'former secrets of webhooks')!;
  expect(await drop(worker, now())).toBe(4);
});

test('an address that could be anything but a receiver is not taken', async () => {
  const strict = await createTestApp(db);
  await strict.register(webhookRoutes({ db, now, newId, secrets, allowPrivate: false }));
  const refused = await strict.inject({
    ...{ method: 'POST', url: '/api/webhooks', headers: admin },
    payload: { name: 'x', url: 'https://169.254.169.254/latest', kinds: ['fault.raised'] },
  });
  expect([refused.statusCode, refused.json().details[0].field]).toEqual([400, 'body.url']);
});

test('the log goes back for a month', async () => {
  const hook = await given();
  await raise();
  await work();
  const [{ drop }] = webhookRetention as [(typeof webhookRetention)[0]];
  expect(await drop(worker, new Date(Date.now() + 29 * 86_400_000))).toBe(0);
  expect(await drop(worker, new Date(Date.now() + 31 * 86_400_000))).toBe(1);
  expect(await deliveriesOf(hook.id)).toEqual([]);
});
