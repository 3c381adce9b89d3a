import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { loggedIn } from '../identity/testing.ts';
import { holderWords } from '../records/index.ts';
import { serveRecords } from './testing-records.ts';

const { owner, account, tenants, buildings, floors, spaces, turn, call, named, auditOf } =
  await serveRecords();

test('a stale edit is refused with what the other made of it, and nothing is lost', async () => {
  const made = await call('POST', '/api/tenants', named('cedar'));
  expect([made.status, made.etag]).toEqual([201, '"1"']);
  const url = `/api/tenants/${made.body.id}`;
  expect((await call('PUT', url, named('cedar'))).status).toBe(428);
  const first = await call(
    'PUT',
    url,
    { ...named('cedar'), name: { en: 'Cedar', zh: '雪松' } },
    { 'if-match': '"1"' },
  );
  expect([first.status, first.etag]).toEqual([200, '"2"']);
  const second = await call(
    'PUT',
    url,
    { ...named('cedar'), name: { en: 'C.', zh: '杉' } },
    { 'if-match': '"1"' },
  );
  expect([second.status, second.body.code]).toEqual([409, 'stale_edit']);
  expect(second.body.details.current).toMatchObject({ version: 2, name: { en: 'Cedar', zh: '雪松' } });
  // What changes nothing is no new version.
  expect(
    (await call('PUT', url, { ...named('cedar'), name: { en: 'Cedar', zh: '雪松' } }, { 'if-match': '"2"' }))
      .etag,
  ).toBe('"2"');
  expect(await auditOf(made.body.id)).toMatchObject([
    { action: 'tenant.added', content: { after: { key: 'cedar' } } },
    {
      action: 'tenant.changed',
      content: { before: { name: { en: 'cedar' } }, after: { name: { en: 'Cedar', zh: '雪松' } } },
    },
  ]);
  expect((await call('DELETE', url, undefined, { 'if-match': '"2"' })).status).toBe(204);
  expect((await call('GET', url)).status).toBe(404);
});

test('of two who save at once one is told of the other', async () => {
  const { body } = await call('POST', '/api/tenants', named('race'));
  const save = (en: string) =>
    call('PUT', `/api/tenants/${body.id}`, { key: 'race', name: { en, zh: en } }, { 'if-match': '"1"' });
  const both = await Promise.all([save('a'), save('b')]);
  expect(both.map(({ status }) => status).toSorted()).toEqual([200, 409]);
});

test('what something else refers to stays, and the refusal names it', async () => {
  const held = async (url: string) => {
    const { etag } = await call('GET', url);
    const reply = await call('DELETE', url, undefined, { 'if-match': String(etag) });
    return [reply.status, reply.body.details.held];
  };
  expect(await held(`/api/buildings/${buildings.get('north')}`)).toEqual([
    409,
    expect.arrayContaining([
      { what: 'floor', name: 'floor', count: 1, keys: ['north-1'] },
      { what: 'space', name: 'space', count: 3, keys: ['north-101', 'north-102', 'north-hall'] },
    ]),
  ]);
  expect(await held(`/api/spaces/${spaces.get('north-101')}`)).toEqual([
    409,
    [{ what: 'lease', name: 'lease', count: 2, keys: ['aurora-1', 'birch-1'] }],
  ]);
  const { etag } = await call('GET', `/api/spaces/${spaces.get('north-101')}`);
  const chinese = { 'if-match': String(etag), 'accept-language': 'zh-CN' };
  const reply = await call('DELETE', `/api/spaces/${spaces.get('north-101')}`, undefined, chinese);
  expect(reply.body.details.held).toMatchObject([{ what: 'lease', name: '租约' }]);
});

test('whatever the schema lets keep a thing from being deleted has a name for people', async () => {
  const { rows } = await sql<{ name: string }>`
    select distinct c.conrelid::regclass::text as name from pg_constraint c
    where c.contype = 'f' and c.confdeltype = 'a' and c.confrelid::regclass::text = any (array['site', 'building',
      'floor', 'space', 'tenant', 'lease', 'tenant_contact', 'equipment', 'gateway', 'point'])`.execute(
    owner,
  );
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.map(({ name }) => name).filter((name) => !(name in holderWords))).toEqual([]);
});

test('an area holds from its day on; days before keep theirs', async () => {
  const floorId = floors.get('north-1');
  const made = await call('POST', '/api/spaces', {
    ...named('loft'),
    kind: 'workstation',
    floorId,
    areaM2: 40.57,
  });
  expect(made.body).toMatchObject({ state: 'vacant', areaM2: 40.57, areas: [{ from: null, areaM2: 40.57 }] });
  const url = `/api/spaces/${made.body.id}`;
  const body = { ...named('loft'), kind: 'workstation', floorId };
  const later = await call(
    'PUT',
    url,
    { ...body, areaM2: 50, areaFrom: '2027-01-01' },
    { 'if-match': '"1"' },
  );
  expect(later.body).toMatchObject({
    areaM2: 40.57,
    areas: [{ from: null }, { from: '2027-01-01', areaM2: 50 }],
  });
  turn.now = new Date('2026-12-31T16:00:00Z'); // New year in Shanghai.
  expect((await call('GET', url)).body.areaM2).toBe(50);
  turn.now = new Date('2026-09-01T00:00:00Z');
  const back = await call('DELETE', `${url}/areas/2027-01-01`, undefined, { 'if-match': '"2"' });
  expect(back.body.areas).toEqual([{ from: null, areaM2: 40.57 }]);
  expect((await call('PUT', url, { ...body, areaM2: 1.005 }, { 'if-match': '"3"' })).status).toBe(400);
});

test('a state is set by hand where leases allow it, and its history says who and why', async () => {
  const url = `/api/spaces/${spaces.get('north-hall')}`;
  const set = async (state: string, why: string) => {
    const { etag } = await call('GET', url);
    return call('PUT', `${url}/state`, { state, why }, { 'if-match': String(etag) });
  };
  expect((await set('intent', 'Cedar asked for it')).body.state).toBe('intent');
  expect((await set('leased', 'to cheat')).body.details).toEqual({ why: 'not_from_here', from: 'intent' });
  expect((await set('locked', 'water damage')).status).toBe(200);
  expect((await call('GET', `${url}/history`)).body.items).toMatchObject([
    { from: 'intent', state: 'locked', why: 'water damage' },
    {
      from: 'vacant',
      state: 'intent',
      why: 'Cedar asked for it',
      personName: expect.stringContaining('Name'),
    },
  ]);
});

test('a contact is kept from the audit', async () => {
  const made = await call('POST', '/api/contacts', {
    ...{
      key: 'c1',
      tenantId: tenants.get('aurora'),
      kind: 'billing',
      name: '李雷',
      phone: '+86 21 5555 0100',
      mail: 'li@example.com',
    },
  });
  expect(made.status).toBe(201);
  expect((await auditOf(made.body.id))[0]?.content).toMatchObject({
    after: { name: '李*', phone: '*00', mail: '*@example.com' },
  });
  expect((await call('GET', `/api/contacts?tenant=${tenants.get('birch')}`)).body.items).toEqual([]);
});

test('with a right on one building nothing of another is listed or changed', async () => {
  const south = buildings.get('south')!;
  const bound = await loggedIn(owner, account, ['leasing_officer'], null, { buildingId: south });
  const as = (method: string, url: string, body?: object, headers: object = {}) =>
    call(method, url, body, { ...bound, ...headers });
  for (const [url, key] of [
    ['/api/buildings', 'north'],
    ['/api/floors', 'north-1'],
  ] as const) {
    const { body } = await as('GET', url);
    expect(body.items.length).toBeGreaterThan(0);
    expect(JSON.stringify(body)).not.toContain(`"${key}"`);
  }
  const north = spaces.get('north-102');
  expect((await as('GET', `/api/spaces/${north}`)).status).toBe(404);
  expect(
    (await as('PUT', `/api/spaces/${north}/state`, { state: 'locked', why: 'x' }, { 'if-match': '"1"' }))
      .status,
  ).toBe(404);
  const floor = await as('POST', '/api/floors', {
    ...named('n-2'),
    buildingId: buildings.get('north'),
    level: 1,
  });
  expect(floor.status).toBe(400);
  expect((await as('POST', '/api/floors', { ...named('s-2'), buildingId: south, level: 1 })).status).toBe(
    201,
  );
  const { rows } = await sql<{
    id: string;
    key: string;
  }>`select id, key from lease where account_id = ${account}`.execute(owner);
  const lease = new Map(rows.map(({ key, id }) => [key, id]));
  expect(
    (await as('POST', `/api/leases/${lease.get('aurora-2')}/move-out`, { date: '2026-09-02' })).status,
  ).toBe(404);
  expect((await as('GET', `/api/tenants/${tenants.get('aurora')}`)).status).toBe(404);
  // Birch leases in both houses: seen, and not changed from one of them.
  const birch = await as('GET', `/api/tenants/${tenants.get('birch')}`);
  expect(birch.status).toBe(200);
  const change = await as('PUT', `/api/tenants/${tenants.get('birch')}`, named('birches'), {
    'if-match': String(birch.etag),
  });
  expect(change.status).toBe(403);
  const both = {
    key: 'both',
    tenantId: tenants.get('birch'),
    spaceIds: [spaces.get('south-hall'), north],
    from: '2030-01-01',
    to: null,
    headcount: 1,
  };
  expect((await as('POST', '/api/leases', both)).status).toBe(400);
  expect((await as('POST', '/api/leases', { ...both, spaceIds: [spaces.get('south-hall')] })).status).toBe(
    201,
  );
});
