import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { systemWait } from './clock.ts';
import { createChangeHub, notifyChanged } from './changes.ts';
import { changeRoutes } from './changes-route.ts';
import { withAccount } from './db.ts';
import { createApp } from './http.ts';
import { newId } from './ids.ts';
import { clonedDatabase } from './testing.ts';

const { owner, pool } = await clonedDatabase();
const stop = new AbortController();
const log = pino({ enabled: false });
const hub = createChangeHub({ pool: pool('parkline_app'), wait: systemWait, log });
const running = hub.run(stop.signal);
const all = ['fault.read', 'workorder.read'];
const app = await createApp({
  log,
  permissions: new Set(all),
  ratePerS: 10_000,
  /** Who asks says so: 'account permission permission'. An account has one person. */
  authenticate: ({ headers: { cookie } }) => {
    if (!cookie) return Promise.resolve(undefined);
    const [accountId = '', ...permissions] = cookie.split(' ');
    const person = { personId: accountId, sessionId: newId(), tenantId: null, roles: [] };
    return Promise.resolve({
      ...person,
      by: 'session' as const,
      secondFactor: null,
      accountId,
      permissions: new Map(permissions.map((one) => [one, null])),
    });
  },
});
let alive = true;
await app.register(
  changeRoutes({
    hub,
    permissions: {
      faults: 'fault.read',
      'work-orders': 'workorder.read',
      settings: 'workorder.read',
      commands: 'command.read',
    },
    isLoggedIn: () => Promise.resolve(alive),
    times: { session: 50, gather: 20 },
  }),
);
await app.listen({ port: 0, host: '127.0.0.1' });
const port = (app.server.address() as AddressInfo).port;
// A stream that is open when the hub first listens is told of everything once more.
beforeAll(() =>
  vi.waitFor(
    async () => {
      const { rowCount } = await pool().query(
        `select from pg_stat_activity where query = 'listen parkline_changed' and state = 'idle'
          and datname = current_database()`,
      );
      expect(rowCount).toBe(1);
    },
    { timeout: 30_000, interval: 50 },
  ),
);
afterAll(async () => {
  await app.close();
  stop.abort();
  await running;
});

const as = (accountId: string, permissions = all) => ({ cookie: [accountId, ...permissions].join(' ') });

/** Reads a stream; `topics` has everything that was told so far, oldest first. */
async function open(headers: { cookie: string }) {
  const abort = new AbortController();
  const reply = await fetch(`http://127.0.0.1:${port}/api/changes`, { headers, signal: abort.signal });
  const events: string[][] = [];
  let text = '';
  const over = (async () => {
    for await (const chunk of reply.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const data = /^event: changed\ndata: (.*)$/.exec(block)?.[1];
        if (data) events.push((JSON.parse(data) as { topics: string[] }).topics);
      }
    }
  })().catch(() => undefined);
  return { reply, events, over, close: () => abort.abort() };
}

const change = (accountId: string, ...topics: ('faults' | 'work-orders')[]) =>
  withAccount(owner, accountId, (trx) => notifyChanged(trx, accountId, ...topics));

test('a change is told when it is committed, to its own account only', async () => {
  const [mine, other] = [newId(), newId()];
  const stream = await open(as(mine));
  expect(stream.reply.headers.get('content-type')).toBe('text/event-stream');
  await expect
    .poll(() => stream.events, { timeout: 10_000 })
    .toEqual([['faults', 'work-orders', 'settings']]);

  const failing = withAccount(owner, mine, async (trx) => {
    await notifyChanged(trx, mine, 'faults');
    throw new Error('undone');
  });
  await expect(failing).rejects.toThrow('undone');
  await change(other, 'faults');
  await change(mine, 'work-orders');
  await expect.poll(() => stream.events.slice(1), { timeout: 10_000 }).toEqual([['work-orders']]);
  stream.close();
});

test('a storm of changes is a few events, and nobody is told of what he may not read', async () => {
  const accountId = newId();
  const finance = await open(as(accountId, ['billing.read']));
  const engineer = await open(as(accountId));
  await expect.poll(() => engineer.events.length, { timeout: 10_000 }).toBe(1);
  for (let i = 0; i < 50; i += 1) await change(accountId, 'faults', 'work-orders');
  await expect.poll(() => engineer.events.at(-1), { timeout: 10_000 }).toEqual(['faults', 'work-orders']);
  expect(engineer.events.length).toBeLessThan(50);
  expect(finance.events).toEqual([]);
  finance.close();
  engineer.close();
});

test('a stream ends with its session', async () => {
  const accountId = newId();
  const stream = await open(as(accountId));
  alive = false;
  await stream.over;
  alive = true;
});

test('nobody has more streams than pages can be open, and one that is closed makes room', async () => {
  const accountId = newId();
  const streams = await Promise.all(Array.from({ length: 30 }, () => open(as(accountId))));
  expect(streams.map(({ reply }) => reply.status)).toEqual(Array<number>(30).fill(200));
  const refused = await open(as(accountId));
  expect([refused.reply.status, refused.reply.headers.get('retry-after')]).toEqual([429, '10']);
  const other = await open(as(newId()));
  expect(other.reply.status).toBe(200);
  streams[0]!.close();
  await expect
    .poll(
      async () => {
        const again = await open(as(accountId));
        streams.push(again);
        return again.reply.status;
      },
      { timeout: 10_000 },
    )
    .toBe(200);
  for (const stream of [...streams, refused, other]) stream.close();
});

test('without a session there is no stream', async () => {
  expect((await fetch(`http://127.0.0.1:${port}/api/changes`)).status).toBe(401);
});

test('after the database broke the link everybody looks at everything, and hears again', async () => {
  const accountId = newId();
  const stream = await open(as(accountId));
  await expect.poll(() => stream.events.length, { timeout: 10_000 }).toBe(1);
  await pool().query(
    `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen parkline_changed%' or query = 'select 1'`,
  );
  await expect
    .poll(() => stream.events.slice(1), { timeout: 20_000 })
    .toEqual([['faults', 'work-orders', 'settings']]);
  await change(accountId, 'faults');
  await expect.poll(() => stream.events.at(-1), { timeout: 10_000 }).toEqual(['faults']);
  stream.close();
});
