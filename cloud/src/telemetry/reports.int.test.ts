import type { GatewayEvent } from '@parkline/contract';
import { beforeAll, expect, test } from 'vitest';
import { createTestApp, loggedIn } from '../identity/testing.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { saveEvents } from './events.ts';
import { reportRoutes } from './report-routes.ts';
import { givenPark, type TestGateway, type TestPark } from './testing.ts';

const database = await clonedDatabase();
const ingest = database.pool('parkline_ingest');
const app = await createTestApp(database.app);
await app.register(reportRoutes({ db: database.app }));

let park: TestPark;
let foreign: TestPark;
let headers: { cookie: string };
beforeAll(async () => {
  [park, foreign] = [await givenPark(database.pool()), await givenPark(database.pool())];
  headers = await loggedIn(database.owner, park.accountId);
});

const ids = (n: number) => `018f0000-0000-7000-8000-0000000000${String(n).padStart(2, '0')}`;
const gap = (n: number, at: number): GatewayEvent => ({
  ...{ type: 'gap', id: ids(n), at, from: at - 5_000, to: at, count: 3, what: 'gauges', why: 'thinned' },
});

async function report(gateway: TestGateway, ...events: GatewayEvent[]): Promise<void> {
  const client = await ingest.connect();
  const header = { gatewayId: gateway.id, epoch: '0'.repeat(16), seq: 1, kind: 'events' } as const;
  await saveEvents(client, { ...header, count: events.length, from: 0, to: 0 }, events);
  client.release();
}

const get = (url: string) => app.inject({ url, headers: { ...headers, 'accept-language': 'zh-CN' } });

test('reports of a gateway, newest first, page by page, with the name of what they are about', async () => {
  const gateway = park.gateways[0]!;
  const noon = Date.parse('2026-11-22T04:00:00Z');
  const alarm: GatewayEvent = {
    ...{ type: 'alarm', id: ids(9), at: noon + 1_000, rule: 'too-warm', pointId: gateway.points[0]!.id },
    ...{ state: 'raised', value: 31, text: 'too warm' },
  };
  await report(gateway, gap(1, noon), gap(2, noon), gap(3, noon - 60_000), alarm);
  await report(foreign.gateways[0]!, gap(4, noon));

  const url = `/api/gateways/${gateway.id}/reports`;
  const first = (await get(`${url}?limit=2`)).json();
  expect(first.items).toMatchObject([
    { at: '2026-11-22T04:00:01.000Z', event: alarm, subject: '总有功功率' },
    { event: { id: ids(2) }, subject: null },
  ]);
  const second = (await get(`${url}?limit=2&after=${encodeURIComponent(first.next)}`)).json();
  expect([second.items.map(({ event }: { event: GatewayEvent }) => event.id), second.next]).toEqual([
    [ids(1), ids(3)],
    null,
  ]);
});

test('a gateway of somebody else is none at all, and a made-up page is refused by name', async () => {
  expect((await get(`/api/gateways/${foreign.gateways[0]!.id}/reports`)).statusCode).toBe(404);
  const refused = await get(`/api/gateways/${park.gateways[0]!.id}/reports?after=x`);
  expect([refused.statusCode, refused.json().details[0].field]).toEqual([400, 'after']);
});
