// The API of faults and rules, asked by people: here, because their sessions and the worker's loops are at hand.
import { expect, test } from 'vitest';
import { faultRoutes, loadRules } from '../faults/index.ts';
import { givenFaultPark, testClock, testWorker } from '../faults/testing.ts';
import { createTestApp } from '../identity/testing.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { givenWorker } from './testing.ts';

const { app: api, worker: db, pool } = await clonedDatabase();
const owner = pool();
const clock = testClock();
const app = await createTestApp(api);
await app.register(faultRoutes({ db: api, now: clock.now, newId, rules: loadRules() }));
const park = await givenFaultPark(owner, clock);
const worker = testWorker(db, park, clock);
const given = (person: Parameters<typeof givenWorker>[2]) =>
  givenWorker({ owner, app }, park.accountId, person);
const engineer = await given({ name: 'Eng', roles: ['facility_engineer'] });
const supervisor = await given({ name: 'Sun', roles: ['supervisor'] });
const technician = await given({ name: 'Lin', roles: ['technician'] });

test('a rule is set within its range, and says what it comes with', async () => {
  const put = (key: string, body: object, version = 0) =>
    engineer.put(`/api/fault-rules/${key}`, body, version);
  expect((await put('zone-too-warm', { enabled: true, forS: 30, limit: 99 })).status).toBe(400);
  expect((await put('water-leak', { enabled: true, forS: 30, limit: 1 })).status).toBe(400);
  expect((await put('none', { enabled: true, forS: 30, limit: null })).status).toBe(404);
  expect((await put('zone-too-warm', { enabled: false, forS: 30, limit: 4 })).body).toMatchObject({
    ...{
      enabled: false,
      forS: 30,
      limit: 4,
      limitUnit: 'K',
      preset: { enabled: true, forS: 600 },
      version: 1,
    },
  });
  const { body } = await technician.get('/api/fault-rules');
  expect(body.items.find(({ key }: { key: string }) => key === 'zone-too-warm')).toMatchObject({ forS: 30 });
  expect(
    (await technician.put('/api/fault-rules/zone-too-warm', { enabled: true, forS: 1, limit: 4 })).status,
  ).toBe(403);
});

test('of two who change a rule from the same version one wins, and the other is told what stands there', async () => {
  const path = '/api/fault-rules/zone-too-cold';
  const read = await engineer.get(path);
  expect([read.body.version, read.headers['etag']]).toEqual([0, expect.stringMatching(/^"0\./)]);
  const want = (forS: number) => ({ enabled: true, forS, limit: 4 });
  // At once: neither finds a row.
  const first = await Promise.all([60, 61].map((forS) => engineer.put(path, want(forS), 0)));
  expect(first.map(({ status }) => status).sort()).toEqual([200, 409]);
  const stands = (await engineer.get(path)).body;
  expect(stands).toEqual(first.find(({ status }) => status === 200)!.body);
  const late = first.find(({ status }) => status === 409)!.body;
  expect([late.code, late.details.current]).toEqual(['stale_edit', stands]);
  expect((await engineer.put(path, want(90), 5)).status).toBe(409); // A version that never was.
  const next = await engineer.put(path, want(90), 1);
  expect([next.status, next.body.version, next.headers['etag']]).toEqual([200, 2, '"2"']);
});

test('acknowledging notes who did, once, and ends what only a person can end', async () => {
  const meter = await park.add('three-phase-meter', 'm');
  await park.set(meter, { active_energy_import: 500 });
  await worker.run(2);
  await park.set(meter, { active_energy_import: 100 });
  await worker.run(1);
  const [fault] = (await engineer.get('/api/faults?rule=meter-stepped-back')).body.items;
  expect(fault).toMatchObject({
    state: 'open',
    endsByAcknowledging: true,
    detail: 'The register shows 1 kWh; before that it showed 5 kWh. The meter was replaced or reset.',
  });
  const told = await engineer.post(`/api/faults/${fault.id}/acknowledge`);
  expect(told.body).toMatchObject({ state: 'cleared', clearedWhy: 'acknowledged', acknowledgedBy: 'Eng' });
  expect((await supervisor.post(`/api/faults/${fault.id}/acknowledge`)).body.acknowledgedBy).toBe('Eng');
  await worker.run(3);
  expect((await engineer.get('/api/faults')).body.items).toHaveLength(1);
});
