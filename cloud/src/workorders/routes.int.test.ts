import sharp from 'sharp';
import { beforeEach, describe, expect, test } from 'vitest';
import { faultRoutes, loadRules } from '../faults/index.ts';
import {
  type FaultPark,
  givenFaultPark,
  type TestClock,
  testClock,
  testWorker,
  type TestWorker,
} from '../faults/testing.ts';
import { createTestApp } from '../identity/testing.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { workOrderJobs } from './jobs.ts';
import { workOrderRoutes } from './routes.ts';
import { givenWorker, type TestPerson } from './testing.ts';

const { app: api, worker: db, pool } = await clonedDatabase();
const owner = pool();
const rules = loadRules();

const clock: TestClock = testClock();
const app = await createTestApp(api);
await app.register(faultRoutes({ db: api, now: clock.now, newId, rules }));
await app.register(workOrderRoutes({ db: api, now: clock.now, newId }));

let park: FaultPark;
let worker: TestWorker;
let [hall, plumber, supervisor, engineer]: TestPerson[] = [];
const given = (person: Parameters<typeof givenWorker>[2], accountId = park.accountId) =>
  givenWorker({ owner, app }, accountId, person);

beforeEach(async () => {
  clock.at = Date.UTC(2026, 10, 22, 6);
  park = await givenFaultPark(owner, clock);
  const jobs = workOrderJobs({ now: clock.now, newId, rules, failpoint: () => undefined });
  worker = testWorker(db, park, clock, { handlers: jobs });
  hall = await given({ name: 'Hall', roles: ['technician'], skills: ['hvac'] });
  plumber = await given({
    ...{ name: 'Lin', roles: ['technician'], skills: ['plumbing'] },
    floors: [park.floors[0].id],
  });
  supervisor = await given({ name: 'Sun', roles: ['supervisor'] });
  engineer = await given({ name: 'Eng', roles: ['facility_engineer'] });
});

/** A leak on the ground floor, found and ordered. @returns the order as the supervisor sees it. */
async function leak() {
  const sensor = await park.add('leak-sensor', `leak-${newId()}`);
  await park.set(sensor, { leak: 1 });
  await worker.run(6);
  await worker.jobs();
  const { body } = await supervisor!.get('/api/work-orders?limit=1');
  return body.items[0];
}
const detail = async (id: string) => (await supervisor!.get(`/api/work-orders/${id}`)).body;

test('a fault becomes one order, given to who fits, and both know of each other', async () => {
  const order = await leak();
  expect(order).toMatchObject({
    number: '2026-00001',
    state: 'dispatched',
    title: 'Water leak',
    severity: 'critical',
    skill: 'plumbing',
    place: 'Building A, Level 0',
    technician: { id: plumber!.id, name: 'Lin' },
    dispatchReason:
      'Lin has the skill plumbing, works on Level 0, and is the only one who fits (open orders: 0).',
    acceptBy: new Date(clock.at + 900_000).toISOString(),
    fault: { state: 'open', clearedAt: null },
    version: 2,
  });
  const { body: fault } = await engineer!.get(`/api/faults/${order.faultId}`);
  expect(fault).toMatchObject({
    ...{ state: 'open', rule: 'water-leak', detail: 'The sensor reports water.' },
    ...{ orderId: order.id, orderState: 'dispatched', orderNumber: '2026-00001' },
  });
  await worker.run(5);
  await worker.jobs();
  expect((await supervisor!.get('/api/work-orders')).body.items).toHaveLength(1);
});

test('a technician accepts, begins, takes both photos and finishes; the history tells it', async () => {
  const { id } = await leak();
  const at = `/api/work-orders/${id}`;
  const me = plumber!;
  const accepted = await me.post(`${at}/accept`, { version: 2 });
  expect([accepted.status, accepted.body]).toMatchObject([200, { state: 'accepted', acceptBy: null }]);
  expect((await me.post(`${at}/start`, { version: 3 })).body).toMatchObject({ state: 'in_progress' });

  const missing = await me.post(`${at}/finish`, { version: 4 });
  expect([missing.status, missing.body.details.why]).toEqual([409, 'photo_missing']);
  const picture = await sharp({
    create: { width: 2_400, height: 1_200, channels: 3, background: 'teal' },
  })
    .withExif({ IFD0: { Copyright: 'somebody at home' } })
    .jpeg()
    .toBuffer();
  const before = await me.post(`${at}/photos?kind=before`, picture, 'image/jpeg');
  expect(before.status).toBe(201);
  const again = await me.post(`${at}/photos?kind=before`, picture, 'image/jpeg');
  expect(again.body.id).toBe(before.body.id);
  expect((await me.post(`${at}/photos?kind=after`, picture, 'image/jpeg')).status).toBe(201);

  const done = await me.post(`${at}/finish`, { version: 4, note: 'Tightened the joint.' });
  expect([done.status, done.body]).toMatchObject([
    200,
    { state: 'done', note: 'Tightened the joint.', photos: [{ kind: 'before' }, { kind: 'after' }] },
  ]);
  const seen = await supervisor!.get(`${at}/photos/${before.body.id}`);
  expect(seen.headers['content-type']).toBe('image/webp');
  const meta = await sharp(seen.bytes).metadata();
  expect(meta).toMatchObject({ format: 'webp', width: 1_600, height: 800 });
  expect(meta.exif).toBeUndefined();
  expect(
    (await detail(id)).history.map(({ what, who }: { what: string; who: string }) => [what, who]),
  ).toEqual([
    ['created', null],
    ['dispatched', null],
    ['accepted', 'Lin'],
    ['started', 'Lin'],
    ['photo_added', 'Lin'],
    ['photo_added', 'Lin'],
    ['finished', 'Lin'],
  ]);
  expect((await engineer!.get(`/api/faults/${done.body.faultId}`)).body.orderState).toBe('done');
});

test('the fault clearing is shown on the order', async () => {
  const { id, equipmentId } = await leak();
  await park.set(equipmentId, { leak: 0 });
  await worker.run(12);
  await worker.jobs();
  expect(await detail(id)).toMatchObject({ state: 'dispatched', fault: { state: 'cleared' } });
  expect((await detail(id)).history.at(-1)).toMatchObject({ what: 'fault_cleared', who: null });
});

describe('nobody accepts', () => {
  test('and at the 15th minute, not before, the supervisor has it; a late yes still counts', async () => {
    const { id } = await leak();
    clock.at += 899_999;
    await worker.jobs();
    expect((await detail(id)).escalatedAt).toBeNull();
    clock.at += 1;
    await worker.jobs();
    expect((await detail(id)).escalatedAt).toBe(clock.now().toISOString());
    const { body } = await supervisor!.get('/api/work-orders?escalated=true');
    expect(body.items).toHaveLength(1);
    clock.at += 60_000;
    expect((await plumber!.post(`/api/work-orders/${id}/accept`, { version: 3 })).body).toMatchObject({
      ...{ state: 'accepted', escalatedAt: null },
    });
  });

  test('of those it was given to anew: the time starts again', async () => {
    const { id } = await leak();
    clock.at += 600_000;
    const given2 = await supervisor!.post(`/api/work-orders/${id}/dispatch`, {
      ...{ version: 2, technicianId: hall!.id },
    });
    expect(given2.body).toMatchObject({
      ...{ technician: { name: 'Hall' }, dispatchReason: 'Sun gave it to Hall.' },
    });
    clock.at += 600_000;
    await worker.jobs();
    expect((await detail(id)).escalatedAt).toBeNull();
    clock.at += 300_000;
    await worker.jobs();
    expect((await detail(id)).escalatedAt).not.toBeNull();
  });

  test('because it was accepted: no timer is left', async () => {
    const { id } = await leak();
    await plumber!.post(`/api/work-orders/${id}/accept`, { version: 2 });
    const sql = `select from job where account_id = $1 and task <> 'event.happened'`;
    const { rows } = await owner.query(sql, [park.accountId]);
    expect(rows).toEqual([]);
  });

  test('within the minutes that the account has set', async () => {
    const path = '/api/work-order-settings';
    expect((await engineer!.get(path)).body).toEqual({ acceptWithinMin: 15, version: 0 });
    expect((await supervisor!.put(path, { acceptWithinMin: 2 }, 0)).status).toBe(200);
    const read = await engineer!.get(path);
    expect(read.body).toEqual({ acceptWithinMin: 2, version: 1 });
    expect(read.headers['etag']).toMatch(/^"1\./);
    // Who began before that is told what stands there now, and changes nothing.
    for (const version of [0, 7]) {
      const late = await supervisor!.put(path, { acceptWithinMin: 99 }, version);
      expect([late.status, late.body.code, late.body.details.current]).toEqual([
        409,
        'stale_edit',
        read.body,
      ]);
    }
    expect((await supervisor!.put(path, { acceptWithinMin: 3 }, 1)).headers['etag']).toBe('"2"');
    const both = await Promise.all(
      [2, 2].map((acceptWithinMin) => supervisor!.put(path, { acceptWithinMin }, 2)),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect((await leak()).acceptBy).toBe(new Date(clock.at + 120_000).toISOString());
  });

  test('since nobody has the skill: the order waits for the supervisor, and who takes it has it', async () => {
    await owner.query(`update person set skills = '{}' where id = $1`, [plumber!.id]);
    const order = await leak();
    expect(order).toMatchObject({
      ...{ state: 'waiting', technician: null, dispatchReason: 'Nobody has the skill plumbing.' },
      escalatedAt: clock.now().toISOString(),
    });
    const replies = await Promise.all(
      [hall, plumber].map((who) => who!.post(`/api/work-orders/${order.id}/accept`, { version: 2 })),
    );
    // The slower one finds it changed, or no longer to be seen.
    const [first, second] = replies.map(({ status }) => status).sort((a, b) => a - b);
    expect([first, [404, 409].includes(second!)]).toEqual([200, true]);
    expect(await detail(order.id)).toMatchObject({ state: 'accepted', version: 3 });
  });
});

test('of two who step at once with what they both saw, one wins and one is told', async () => {
  const { id } = await leak();
  const replies = await Promise.all(
    [1, 2, 3].map(() => plumber!.post(`/api/work-orders/${id}/accept`, { version: 2 })),
  );
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  expect(replies.find(({ status }) => status === 409)!.body.details.why).toBe('changed');
});

test.each([
  ['start what was not accepted', 'start', 'plumber', 409],
  ['finish what was not begun', 'finish', 'plumber', 409],
  ['accept what another has', 'accept', 'hall', 404],
  ['dispatch as a technician', 'dispatch', 'plumber', 403],
  ['accept as an engineer', 'accept', 'engineer', 403],
] as const)('nobody can %s', async (_what, act, who, status) => {
  const { id } = await leak();
  const person = { hall, plumber, engineer }[who]!;
  expect((await person.post(`/api/work-orders/${id}/${act}`, { version: 2 })).status).toBe(status);
  expect(await detail(id)).toMatchObject({ state: 'dispatched', version: 2 });
});

test('a cancelled order is closed for good', async () => {
  const { id } = await leak();
  const at = `/api/work-orders/${id}`;
  const cancelled = await supervisor!.post(`${at}/cancel`, { version: 2, note: 'False alarm.' });
  expect(cancelled.body).toMatchObject({ state: 'cancelled', note: 'False alarm.', acceptBy: null });
  const late = await plumber!.post(`${at}/accept`, { version: 3 });
  expect([late.status, late.body.details.why]).toEqual([409, 'closed']);
  clock.at += 3_600_000;
  await worker.jobs();
  expect((await detail(id)).escalatedAt).toBeNull();
});

test('a technician sees what is his or nobody’s; another account sees nothing at all', async () => {
  const { id, faultId } = await leak();
  expect((await hall!.get('/api/work-orders')).body.items).toEqual([]);
  expect((await hall!.get(`/api/work-orders/${id}`)).status).toBe(404);
  expect((await plumber!.get('/api/work-orders')).body.items).toHaveLength(1);

  const elsewhere = await givenFaultPark(owner, clock);
  const stranger = await given({ name: 'Other', roles: ['supervisor'] }, elsewhere.accountId);
  expect((await stranger.get('/api/work-orders')).body.items).toEqual([]);
  expect((await stranger.get('/api/faults')).body.items).toEqual([]);
  for (const url of [`/api/work-orders/${id}`, `/api/faults/${faultId}`])
    expect((await stranger.get(url)).status).toBe(404);
  expect((await stranger.post(`/api/work-orders/${id}/cancel`, { version: 2, note: 'x' })).status).toBe(404);
  expect((await stranger.post(`/api/faults/${faultId}/acknowledge`)).status).toBe(404);
  expect((await stranger.get('/api/technicians')).body.items).toEqual([]);
  const wrong = await supervisor!.post(`/api/work-orders/${id}/dispatch`, {
    ...{ version: 2, technicianId: stranger.id },
  });
  expect(wrong.status).toBe(400);
});

test('what is no picture is not kept', async () => {
  const { id } = await leak();
  await plumber!.post(`/api/work-orders/${id}/accept`, { version: 2 });
  const send = (bytes: Buffer, type = 'image/png') =>
    plumber!.post(`/api/work-orders/${id}/photos?kind=before`, bytes, type);
  expect((await send(Buffer.from('<svg onload="alert(1)"/>'))).status).toBe(415);
  expect((await send(Buffer.from('hello'), 'text/plain')).status).toBe(415);
  expect((await send(Buffer.alloc(10 * 1024 * 1024 + 1))).status).toBe(413);
  const broken = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(50)]);
  expect((await send(broken)).status).toBe(415);
  const { rows } = await owner.query('select from file where account_id = $1', [park.accountId]);
  expect(rows).toEqual([]);
});

test('work goes to the one with less of it', async () => {
  const second = await given({ name: 'Mo', roles: ['technician'], skills: ['plumbing'] });
  const [one, two, three] = [await leak(), await leak(), await leak()];
  expect([one, two, three].map((order) => order.technician.id)).toEqual([
    plumber!.id,
    second.id,
    plumber!.id,
  ]);
  expect([one, two, three].map((order) => order.number)).toEqual(['2026-00001', '2026-00002', '2026-00003']);
  const { body } = await supervisor!.get('/api/technicians');
  expect(body.items).toContainEqual(
    expect.objectContaining({ name: 'Lin', openOrders: 2, areas: [park.floors[0].id] }),
  );
});

test('lists are read page by page, newest first', async () => {
  for (let i = 0; i < 3; i += 1) await leak();
  const first = (await supervisor!.get('/api/work-orders?limit=2')).body;
  const second = (await supervisor!.get(`/api/work-orders?limit=2&after=${first.next}`)).body;
  const numbers = [...first.items, ...second.items].map(({ number }: { number: string }) => number);
  expect([numbers, second.next]).toEqual([['2026-00003', '2026-00002', '2026-00001'], null]);
});

test('an order that takes no photo costs nobody the opening of one', async () => {
  const { id } = await leak();
  const wild = Buffer.from('no picture at all');
  const reply = await plumber!.post(`/api/work-orders/${id}/photos?kind=before`, wild, 'image/png');
  expect([reply.status, reply.body.details.why]).toEqual([409, 'not_accepted']);
});
