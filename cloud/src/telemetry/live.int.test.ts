import { connect } from '@nats-io/transport-node';
import { type LiveSample, type LiveUpdate, subjects } from '@parkline/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { byCreds, startNats } from '../../../tests/support/nats.ts';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { catchUpLatest } from './latest.ts';
import { telemetryRoutes } from './routes.ts';
import { givenPark, givenReadings, type TestPark, type TestPoint } from './testing.ts';

const database = await clonedDatabase();
const owner = database.pool();
const server = await startNats({ gateways: [] });
const nats = await connect({
  servers: server.url,
  authenticator: byCreds(server.coreCreds),
});
let sessionStands = true;
const app = await createTestApp(database.app);
await app.register(
  telemetryRoutes({
    db: database.app,
    now: () => new Date(),
    nats: Promise.resolve(nats),
    isLoggedIn: () => Promise.resolve(sessionStands),
    live: { heartbeat: 100, session: 200, settle: 300 },
  }),
);
const address = await app.listen({ host: '127.0.0.1', port: 0 });
afterAll(async () => {
  await app.close();
  await nats.close();
  await server.stop();
});

let park: TestPark;
let foreign: TestPark;
let headers: { cookie: string };
let power: TestPoint;
let energy: TestPoint;
beforeAll(async () => {
  [park, foreign] = [await givenPark(owner), await givenPark(owner)];
  headers = await loggedIn(database.owner, park.accountId);
  [power, energy] = park.gateways[0]!.points as [TestPoint, TestPoint];
});

/** Reads events until `count` of them came, then leaves; comments are counted beside them. */
async function listen(query: string, count: number, then: () => Promise<void> | void) {
  const reply = await fetch(`${address}/api/live?${query}`, { headers });
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const events: LiveSample[][] = [];
  let comments = 0;
  let text = '';
  for await (const chunk of reply.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      if (block.startsWith(':')) comments += 1;
      else events.push(JSON.parse(block.replace('event: samples\ndata: ', '')));
      if (events.length === 1 && !block.startsWith(':')) await then();
    }
    if (events.length >= count) break;
  }
  return { events, comments };
}

const publish = async (accountId: string, samples: LiveUpdate['samples']) => {
  nats.publish(subjects.live(accountId), JSON.stringify({ samples } satisfies LiveUpdate));
  await nats.flush();
};

test('is not opened by a request that reads no answer', async () => {
  const reply = await fetch(`${address}/api/live`, { method: 'HEAD', headers });
  expect(reply.status).toBe(404);
});

test('sends the values as they stand, then each newer one, of the points asked for', async () => {
  await givenReadings(owner, energy, [['2026-11-20T00:00:00Z', 1_234]]);
  await catchUpLatest(database.pool('parkline_ingest'), new Date());
  const at = Date.parse('2026-11-20T00:01:00Z');
  const { events } = await listen(`points=${power.id},${energy.id}`, 2, async () => {
    await publish(foreign.accountId, [{ pointId: power.id, at, value: 666, q: 0 }]);
    await publish(park.accountId, [{ pointId: energy.id, at: at - 3_600_000, value: 1, q: 0 }]);
    await publish(park.accountId, [
      { pointId: energy.id, at, value: 12.35, q: 0 },
      { pointId: park.gateways[0]!.points[3]!.id, at, value: 1, q: 0 },
    ]);
  });
  expect(events).toEqual([
    [
      { pointId: power.id, at: null, value: null, quality: null },
      { pointId: energy.id, at: '2026-11-20T00:00:00.000Z', value: 12.34, quality: 'good' },
    ],
    [{ pointId: energy.id, at: '2026-11-20T00:01:00.000Z', value: 12.35, quality: 'good' }],
  ]);
});

test('finds what ingest had only in memory when the stream began', async () => {
  const { events } = await listen(`equipment=${park.gateways[0]!.meters[1]!.id}`, 2, async () => {
    await givenReadings(owner, park.gateways[0]!.points[2]!, [['2026-11-20T00:00:00Z', 5]]);
    await catchUpLatest(database.pool('parkline_ingest'), new Date());
  });
  expect(events[1]).toEqual([
    { pointId: park.gateways[0]!.points[2]!.id, at: '2026-11-20T00:00:00.000Z', value: 5, quality: 'good' },
  ]);
});

test('opens for a park that has no points yet', async () => {
  const visitor = await loggedIn(database.owner, await givenAccount(database.owner));
  const stop = new AbortController();
  const reply = await fetch(`${address}/api/live`, { headers: visitor, signal: stop.signal });
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  stop.abort();
});

test('keeps a quiet stream alive with comments, and ends it when the session ends', async () => {
  sessionStands = true;
  const { events, comments } = await listen('', 99, () => {
    setTimeout(() => (sessionStands = false), 350);
  });
  sessionStands = true;
  expect(events.length).toBe(1);
  expect(comments).toBeGreaterThan(1);
});

test.each([
  [() => `points=${foreign.gateways[0]!.points[0]!.id}`, 404],
  [() => `points=${power.id},${foreign.gateways[0]!.points[0]!.id}`, 404],
  [() => `equipment=${foreign.gateways[0]!.meters[0]!.id}`, 404],
  [() => 'points=1,2', 400],
  [() => 'building=x', 400],
])('refuses what is foreign or no id (%#)', async (query, status) => {
  expect((await fetch(`${address}/api/live?${query()}`, { headers })).status).toBe(status);
});

test('wants a session', async () => {
  expect((await fetch(`${address}/api/live`)).status).toBe(401);
});
