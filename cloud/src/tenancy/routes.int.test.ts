import type { Lease, Space, Tenant } from '@parkline/contract';
import { expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { placeRoutes } from '../places/index.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { tenancyRoutes } from './routes.ts';
import { givenTenancy } from './testing.ts';

const { app: db, owner } = await clonedDatabase();
const [ours, theirs] = [await givenAccount(owner), await givenAccount(owner)];
const { tenants, buildings } = await givenTenancy(owner, ours);
await givenTenancy(owner, theirs);

// 1 July has begun in Shanghai and not yet in Greenwich.
let clock = new Date('2026-06-30T16:00:00Z');
const app = await createTestApp(db);
await app.register(placeRoutes({ db }));
await app.register(tenancyRoutes({ db, now: () => clock }));
const admin = await loggedIn(owner, ours, ['account_admin']);
const birch = await loggedIn(owner, ours, ['tenant_admin'], tenants.get('birch'));
const get = async <T>(url: string, headers = admin) => {
  const reply = await app.inject({ url, headers });
  return { status: reply.statusCode, ...reply.json<{ items: T[]; next: string | null }>() };
};
const holders = async () =>
  (await get<Space>('/api/spaces')).items.map(({ name, tenantName }) => `${name} ${tenantName}`);

test('spaces come with who holds them on the site’s own day', async () => {
  expect(await holders()).toEqual([
    'north-101 birch',
    'north-102 aurora',
    'north-hall null',
    'south-101 birch',
    'south-102 birch',
    'south-hall null',
  ]);
  clock = new Date('2026-06-30T15:59:59Z');
  expect((await holders()).slice(0, 2)).toEqual(['north-101 aurora', 'north-102 aurora']);
  clock = new Date('2026-06-30T16:00:00Z');
});

test('spaces of one building only, page by page without a gap or a repeat', async () => {
  const south = `/api/spaces?building=${buildings.get('south')}`;
  const whole = await get<Space>(south);
  expect(whole.items[0]).toMatchObject({ name: 'south-101', kind: 'unit', areaM2: 100.5 });
  const first = await get<Space>(`${south}&limit=2`);
  const second = await get<Space>(`${south}&limit=2&after=${first.next}`);
  expect([...first.items, ...second.items]).toEqual(whole.items);
  expect([whole.items.length, second.next]).toEqual([3, null]);
});

test('tenants come with what they hold today', async () => {
  expect((await get<Tenant>('/api/tenants')).items).toMatchObject([
    { name: 'aurora', areaM2: 50, leases: 1 },
    { name: 'birch', areaM2: 251, leases: 2 },
  ]);
});

test('leases say days as they were agreed, whatever zone the server is in', async () => {
  const { items } = await get<Lease>(`/api/leases?tenant=${tenants.get('aurora')}`);
  expect(items).toMatchObject([
    {
      from: '2025-01-01',
      to: '2026-07-01',
      headcount: 12,
      spaces: [{ name: 'north-101' }, { name: 'north-102' }],
    },
    { from: '2026-07-01', to: null, headcount: null, spaces: [{ name: 'north-102', areaM2: 50 }] },
  ]);
});

test('somebody of a tenant sees the own spaces and where they lie, and no list of tenants', async () => {
  const spaces = await get<Space>('/api/spaces', birch);
  expect(spaces.items.map(({ name }) => name)).toEqual(['north-101', 'south-101', 'south-102']);
  expect((await get('/api/tenants', birch)).status).toBe(403);
  expect((await get('/api/leases', birch)).status).toBe(403);
  // Whoever held a space before is not told.
  clock = new Date('2026-06-30T15:59:59Z');
  expect((await get<Space>('/api/spaces', birch)).items[0]).toMatchObject({
    name: 'north-101',
    tenantName: null,
  });
  clock = new Date('2026-06-30T16:00:00Z');

  const aurora = await loggedIn(owner, ours, ['tenant_admin'], tenants.get('aurora'));
  const places = (await app.inject({ url: '/api/places', headers: aurora })).json();
  expect(places.sites[0].buildings.map(({ name }: { name: string }) => name)).toEqual(['north']);
});
