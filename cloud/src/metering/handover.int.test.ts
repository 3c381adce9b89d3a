import pino from 'pino';
import { expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { withAccount, withActor } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { jobs } from '../platform/jobs.ts';
import { doNextJob } from '../platform/run-jobs.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { givenPark, givenReadings } from '../telemetry/testing.ts';
import { handoverRoutes } from './handover-routes.ts';
import { handoverJobs, usagePointsOf } from './handover.ts';
import { tenantUsage } from './repository.ts';
import { givenInstallation, givenLease, givenSpace, givenTenant, givenUsagePoint } from './testing.ts';

const database = await clonedDatabase();
const owner = database.pool();
const now = new Date('2026-11-22T10:00:00Z');

test('what was read at a handover is where the use of a tenant ends, and is written down once', async () => {
  const park = await givenPark(owner);
  const { accountId } = park;
  const energy = park.gateways[0]!.meters[0]!.points[1]!;
  const space = await givenSpace(owner, accountId, park.gateways[0]!.buildingId);
  const other = await givenSpace(owner, accountId, park.gateways[0]!.buildingId);
  const point = await givenUsagePoint(owner, accountId, space);
  await givenInstallation(owner, accountId, point, energy.id);
  const tenant = await givenTenant(owner, accountId);
  // Berlin: local midnight is 23:00Z of the day before. The meter told nothing after noon of the last day.
  await givenLease(owner, accountId, { tenant, space, from: '2026-11-10', to: '2026-11-12' });
  const start = Date.parse('2026-11-09T23:00:00Z');
  await givenReadings(
    owner,
    energy,
    Array.from({ length: 149 }, (_, i): [number, number, number] => [start + i * 900_000, 1_000 + i, 1]),
  );
  const used = async () => {
    const span = { from: new Date(start), to: new Date('2026-11-20T00:00:00Z'), now };
    const actor = { accountId, tenantId: tenant, buildings: null };
    const { use } = await withActor(database.app, actor, (trx) => tenantUsage.read(trx, point, span));
    return use.spans.reduce((sum, { units }) => sum + units, 0n);
  };
  const measured = await used();

  const { rows } = await owner.query<{ id: string }>('select id from lease where tenant_id = $1', [tenant]);
  const leaseId = rows[0]!.id;
  const payload = { leaseId, date: '2026-11-12', readings: [{ usagePointId: point, counts: 1_248 }] };
  for (const _time of ['once', 'again']) {
    await withAccount(database.worker, accountId, (trx) =>
      jobs.enqueue(trx, newId, { accountId, task: 'lease.moved_out', key: leaseId, payload, dueAt: now }),
    );
    const deps = {
      db: database.worker,
      now: () => now,
      log: pino({ enabled: false }),
      handlers: handoverJobs,
    };
    expect(await doNextJob(deps)).toBe(true);
  }
  const kept = await owner.query(`select what, counts, at from handover_reading where lease_id = $1`, [
    leaseId,
  ]);
  expect(kept.rows).toEqual([{ what: 'final', counts: 1_248, at: new Date('2026-11-11T23:00:00Z') }]);
  // 148 counts were measured, the rest of the 248 is what was read.
  expect(await used()).toBe((measured / 148n) * 248n);

  const known = (spaces: string[]) =>
    withAccount(database.app, accountId, (trx) => usagePointsOf(trx, accountId, spaces, [point]));
  expect([await known([space]), await known([other])]).toEqual([[point], []]);
});

test('who keeps leases is told what to read at a handover, and nobody else', async () => {
  const park = await givenPark(owner);
  const { accountId } = park;
  const energy = park.gateways[0]!.meters[0]!.points[1]!;
  const space = await givenSpace(owner, accountId, park.gateways[0]!.buildingId);
  const [point, unread] = [
    await givenUsagePoint(owner, accountId, space),
    await givenUsagePoint(owner, accountId, space),
  ];
  await givenInstallation(owner, accountId, point, energy.id);
  const tenant = await givenTenant(owner, accountId);
  await givenLease(owner, accountId, { tenant, space, from: '2026-11-10', to: null });
  const { rows } = await owner.query<{ id: string }>('select id from lease where tenant_id = $1', [tenant]);
  const app = await createTestApp(database.app);
  await app.register(handoverRoutes({ db: database.app, now: () => now }));
  const meters = async (headers: Record<string, string>) => {
    const reply = await app.inject({ url: `/api/leases/${rows[0]!.id}/meters`, headers });
    return { status: reply.statusCode, items: reply.json().items };
  };
  const officer = await loggedIn(database.owner, accountId, ['leasing_officer']);
  const { items } = await meters(officer);
  expect(items).toEqual([
    { id: point, name: expect.any(String), spaceName: expect.any(String), unit: 'kWh', resolution: 0.01 },
  ]);
  expect(JSON.stringify(items)).not.toContain(unread);
  expect((await meters(await loggedIn(database.owner, accountId, ['technician']))).status).toBe(403);
  const stranger = await givenAccount(database.owner);
  expect((await meters(await loggedIn(database.owner, stranger, ['leasing_officer']))).status).toBe(404);
});
