import { sql } from 'kysely';
import { expect, test, vi } from 'vitest';
import { loggedIn } from '../identity/testing.ts';
import { newId } from '../platform/ids.ts';
import { FOLLOW, followLeases } from './follow-leases.ts';
import { serveRecords } from './testing-records.ts';

const { owner, account, tenants, floors, spaces, turn, call, named, drain, stateOf } = await serveRecords();

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

const untilOneWaits = () =>
  vi.waitUntil(
    async () => {
      const { rows } = await sql`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(owner);
      return rows.length > 0;
    },
    { timeout: 30_000, interval: 20 },
  );

test('a space is leased while a lease runs, whoever does or does not ask', async () => {
  const { id, space } = await freshLease('days', { from: '2026-09-10', to: '2026-10-01' });
  await drain();
  expect(await stateOf(space)).toBe('vacant');
  turn.now = new Date('2026-09-09T16:00:00Z');
  await drain();
  expect(await stateOf(space)).toBe('leased');
  turn.now = new Date('2026-09-30T16:00:00Z');
  await drain();
  expect(await stateOf(space)).toBe('vacant');
  turn.now = new Date('2026-09-01T00:00:00Z');
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
  turn.now = new Date('2026-09-04T16:00:00Z');
  await drain();
  expect(await stateOf(space)).toBe('vacant');
  expect((await call('GET', '/api/spaces/' + spaces.get(space), undefined, person)).status).toBe(401);
  turn.now = new Date('2026-09-01T00:00:00Z');
});

test('who changes a lease waits for the worker that follows the leases before, and neither for ever', async () => {
  const { id, tenantId, space } = await freshLease('order', { from: '2026-08-01' });
  const spaceIds = [spaces.get(space) ?? ''];
  const lease = { key: 'order', tenantId, spaceIds, from: '2026-08-01', to: '2030-01-01', headcount: 5 };
  const changes = [
    () => call('POST', `/api/leases/${id}/move-in`, { date: '2026-08-02' }),
    () => call('PUT', `/api/leases/${id}`, lease, { 'if-match': '"2"' }),
    () => call('POST', `/api/leases/${id}/move-out`, { date: '2026-08-20' }),
  ];
  for (const change of changes) {
    const changing = await owner.transaction().execute(async (trx) => {
      // As the worker: its job in hand first, then the spaces.
      await sql`select from job where account_id = ${account} and task = ${FOLLOW} for update`.execute(trx);
      const running = change();
      await untilOneWaits();
      await followLeases(trx, { accountId: account, at: turn.now, newId }, spaceIds);
      return { running };
    });
    expect((await changing.running).status).toBe(200);
  }
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
    turn.failAt = step;
    expect((await call('POST', `/api/leases/${id}/move-in`, { date: '2026-09-01' })).status).toBe(500);
    turn.failAt = undefined;
    expect(await all()).toEqual(before);
    expect((await call('POST', `/api/leases/${id}/move-in`, { date: '2026-09-01' })).status).toBe(200);
    expect(await stateOf(space)).toBe('leased');
  },
);
