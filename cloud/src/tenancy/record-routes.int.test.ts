import { sql } from 'kysely';
import pino from 'pino';
import { expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { placeRecordRoutes } from '../places/index.ts';
import { newId } from '../platform/ids.ts';
import { doNextJob } from '../platform/run-jobs.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { tenancyJobs } from './jobs.ts';
import type { MoveStep } from './moves.ts';
import { tenancyRecordRoutes } from './record-routes.ts';
import { givenTenancy } from './testing.ts';

const { app: db, owner, worker } = await clonedDatabase();
const account = await givenAccount(owner);
const { tenants, buildings, floors, ...given } = await givenTenancy(owner, account);
const spaces = new Map(given.spaces);

let clock = new Date('2026-09-01T00:00:00Z');
let failAt: MoveStep | undefined;
const now = () => clock;
const app = await createTestApp(db);
await app.register(placeRecordRoutes({ db, now, newId }));
await app.register(
  tenancyRecordRoutes({
    ...{ db, now, newId },
    usagePointsOf: () => Promise.resolve([]),
    step(name) {
      if (name === failAt) throw new Error(`ended at ${name}`);
    },
  }),
);
const officer = await loggedIn(owner, account, ['leasing_officer']);

const call = async (method: string, url: string, body?: object, headers: object = {}) => {
  const reply = await app.inject({
    ...{ method: method as 'GET', url, headers: { ...officer, ...headers } },
    ...(body && { payload: body }),
  });
  return {
    status: reply.statusCode,
    etag: reply.headers.etag,
    body: reply.body === '' ? null : reply.json(),
  };
};
const named = (key: string) => ({ key, name: { en: key, zh: key } });
const drain = async () => {
  const handlers = tenancyJobs({ now, newId });
  const done = { 'lease.moved_in': () => Promise.resolve(), 'lease.moved_out': () => Promise.resolve() };
  while (
    await doNextJob({ db: worker, now, log: pino({ enabled: false }), handlers: { ...handlers, ...done } })
  );
};
const stateOf = async (space: string): Promise<string> =>
  (await call('GET', `/api/spaces/${spaces.get(space)}`)).body.state;
const auditOf = async (subject: string) => {
  const { rows } = await sql<{ action: string; content: object }>`
    select action, content from audit_event where subject_id = ${subject} order by id`.execute(owner);
  return rows;
};

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
      { what: 'floor', count: 1, keys: ['north-1'] },
      { what: 'space', count: 3, keys: ['north-101', 'north-102', 'north-hall'] },
    ]),
  ]);
  expect(await held(`/api/spaces/${spaces.get('north-101')}`)).toEqual([
    409,
    [{ what: 'lease', count: 2, keys: ['aurora-1', 'birch-1'] }],
  ]);
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
  clock = new Date('2026-12-31T16:00:00Z'); // New year in Shanghai.
  expect((await call('GET', url)).body.areaM2).toBe(50);
  clock = new Date('2026-09-01T00:00:00Z');
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

const freshLease = async (key: string, days: { from: string; to?: string | null }) => {
  const floorId = floors.get('south-1');
  const space = await call('POST', '/api/spaces', {
    ...named(`s-${key}`),
    kind: 'unit',
    floorId,
    areaM2: 10,
  });
  spaces.set(`s-${key}`, space.body.id);
  const tenant = await call('POST', '/api/tenants', named(`t-${key}`));
  const lease = await call('POST', '/api/leases', {
    ...{ key, tenantId: tenant.body.id, spaceIds: [space.body.id], to: null, headcount: null, ...days },
  });
  expect(lease.status).toBe(201);
  return { id: lease.body.id as string, tenantId: tenant.body.id as string, space: `s-${key}` };
};

test('a space is leased while a lease runs, whoever does or does not ask', async () => {
  const { id, space } = await freshLease('days', { from: '2026-09-10', to: '2026-10-01' });
  await drain();
  expect(await stateOf(space)).toBe('vacant');
  clock = new Date('2026-09-09T16:00:00Z');
  await drain();
  expect(await stateOf(space)).toBe('leased');
  clock = new Date('2026-09-30T16:00:00Z');
  await drain();
  expect(await stateOf(space)).toBe('vacant');
  clock = new Date('2026-09-01T00:00:00Z');
  const url = `/api/leases/${id}`;
  const { body, etag } = await call('GET', url);
  const { id: _id, version: _v, movedIn: _in, movedOut: _out, ...lease } = body;
  await call('PUT', url, { ...lease, from: '2026-08-01' }, { 'if-match': String(etag) });
  expect(await stateOf(space)).toBe('leased');
});

test('moving in and out changes days, states and access together', async () => {
  const { id, tenantId, space } = await freshLease('move', { from: '2026-08-01' });
  const person = await loggedIn(owner, account, ['tenant_admin'], tenantId);
  const held = async () => {
    const { rows } = await sql<{ days: string }>`
      select daterange(from_date, to_date)::text as days from lease_space where lease_id = ${id}`.execute(
      owner,
    );
    return rows[0]?.days;
  };
  const move = (way: string, date: string) => call('POST', `/api/leases/${id}/move-${way}`, { date });
  expect((await move('in', '2026-07-31')).body.details.why).toBe('before_start');
  const moved = await move('in', '2026-08-15');
  expect([moved.status, moved.body.movedIn, await held(), await stateOf(space)]).toEqual([
    200,
    '2026-08-15',
    '[2026-08-15,)',
    'leased',
  ]);
  expect((await move('in', '2026-08-16')).body.details.why).toBe('already_moved_in');
  await drain();
  expect((await call('GET', '/api/leases/' + id, undefined, person)).status).toBe(403); // Known, but not staff.
  expect((await move('out', '2026-09-05')).body.movedOut).toBe('2026-09-05');
  expect(await held()).toBe('[2026-08-15,2026-09-05)');
  await drain();
  expect((await call('GET', '/api/spaces/' + spaces.get(space), undefined, person)).status).toBe(200);
  clock = new Date('2026-09-04T16:00:00Z');
  await drain();
  expect(await stateOf(space)).toBe('vacant');
  expect((await call('GET', '/api/spaces/' + spaces.get(space), undefined, person)).status).toBe(401);
  clock = new Date('2026-09-01T00:00:00Z');
});

test('who still leases something keeps the access', async () => {
  const person = await loggedIn(owner, account, ['tenant_admin'], tenants.get('birch'));
  const { rows } = await sql<{
    id: string;
  }>`select id from lease where account_id = ${account} and key = 'birch-1'`.execute(owner);
  const reply = await call('POST', `/api/leases/${rows[0]!.id}/move-out`, { date: '2026-08-31' });
  expect(reply.status).toBe(200);
  await drain();
  expect((await call('GET', `/api/spaces/${spaces.get('south-101')}`, undefined, person)).status).toBe(200);
  expect(await stateOf('north-101')).toBe('vacant');
});

test('locked spaces change no hands', async () => {
  const { id, space } = await freshLease('lock', { from: '2026-09-01' });
  await call(
    'PUT',
    `/api/spaces/${spaces.get(space)}/state`,
    { state: 'locked', why: 'asbestos' },
    { 'if-match': '"2"' },
  );
  const reply = await call('POST', `/api/leases/${id}/move-in`, { date: '2026-09-01' });
  expect([reply.status, reply.body.details]).toEqual([
    409,
    { why: 'space_locked', date: '2026-09-01', spaces: [space] },
  ]);
});

test.each(['lease-changed', 'spaces-changed', 'told'] as const)(
  'a move that ends at %s leaves nothing half',
  async (step) => {
    const { id, space } = await freshLease(`half-${step}`, { from: '2026-09-01' });
    await call(
      'PUT',
      `/api/spaces/${spaces.get(space)}/state`,
      { state: 'fit_out', why: 'builders' },
      { 'if-match': '"2"' },
    );
    const all = async () => {
      const { rows } = await sql`
      select (select to_jsonb(l) from lease l where l.id = ${id}) as lease,
        (select jsonb_agg(to_jsonb(s)) from lease_space s where s.lease_id = ${id}) as days,
        (select to_jsonb(s) from space s where s.id = ${spaces.get(space)}) as space,
        (select count(*) from job where key = ${id}) as jobs,
        (select count(*) from audit_event where subject_id = ${id}) as deeds`.execute(owner);
      return rows;
    };
    const before = await all();
    failAt = step;
    expect((await call('POST', `/api/leases/${id}/move-in`, { date: '2026-09-01' })).status).toBe(500);
    failAt = undefined;
    expect(await all()).toEqual(before);
    expect((await call('POST', `/api/leases/${id}/move-in`, { date: '2026-09-01' })).status).toBe(200);
    expect(await stateOf(space)).toBe('leased');
  },
);

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
