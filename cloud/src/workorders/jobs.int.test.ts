import pino from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { loadRules } from '../faults/index.ts';
import { type FaultPark, givenFaultPark, type TestClock, testClock, testWorker } from '../faults/testing.ts';
import { EVENT_HAPPENED } from '../platform/events.ts';
import { newId } from '../platform/ids.ts';
import { doNextJob } from '../platform/run-jobs.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { orderFailpoints, workOrderJobs, type WorkOrderJobDeps } from './jobs.ts';

const { owner, worker: db, pool } = await clonedDatabase();
const ownerPool = pool();
const rules = loadRules();
const log = pino({ enabled: false });

let clock: TestClock;
let park: FaultPark;
beforeEach(async () => {
  await ownerPool.query('delete from job'); // Timers of the tests before.
  clock = testClock();
  park = await givenFaultPark(ownerPool, clock);
  await ownerPool.query(
    `with lin as (insert into person (id, account_id, login, name, password_hash, skills)
       values ($1::uuid, $2, ($1::uuid)::text, 'Lin', '$argon2id$none', '{plumbing}') returning id, account_id)
     insert into role_grant (id, account_id, person_id, role) select id, account_id, id, 'technician' from lin`,
    [newId(), park.accountId],
  );
});

/** One turn of a worker that dies where it is told to. @returns whether there was a job. */
const turn = (failpoint: WorkOrderJobDeps['failpoint'] = () => undefined) =>
  doNextJob({
    db,
    log,
    now: clock.now,
    handlers: workOrderJobs({ now: clock.now, newId, rules, failpoint }),
    lane: { except: [EVENT_HAPPENED] },
  });

async function leaks(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await park.set(await park.add('leak-sensor', `l-${i}`), { leak: 1 });
  await testWorker(db, park, clock).run(6);
}
const orders = () =>
  owner
    .selectFrom('workOrder')
    .select(['id', 'seq', 'state', 'faultId', 'escalatedAt'])
    .where('accountId', '=', park.accountId)
    .orderBy('seq')
    .execute();
const waitingJobs = async () =>
  (await owner.selectFrom('job').select('task').where('accountId', '=', park.accountId).execute())
    .map(({ task }) => task)
    .filter((task) => task !== EVENT_HAPPENED);

test('eight workers make one order of each fault, with numbers that have no gap', async () => {
  await leaks(12);
  const work = async () => {
    while (await turn());
  };
  await Promise.all(Array.from({ length: 8 }, work));
  const made = await orders();
  expect(made.map(({ seq }) => seq)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  expect(new Set(made.map(({ faultId }) => faultId)).size).toBe(12);
  expect(await waitingJobs()).toEqual(Array.from({ length: 12 }, () => 'work-order.escalate'));
});

test('told twice, a fault has one order', async () => {
  await leaks(1);
  await turn();
  const [order] = await orders();
  await owner
    .insertInto('job')
    .values({
      ...{ id: newId(), accountId: park.accountId, task: 'fault.opened', key: order!.faultId! },
      ...{ payload: {}, dueAt: clock.now() },
    })
    .execute();
  await turn();
  expect(await orders()).toEqual([order]);
});

test.each(orderFailpoints)('what fails at %s leaves nothing behind and is done again', async (place) => {
  await leaks(1);
  const isEscalation = place.includes('escalat');
  if (isEscalation) {
    await turn();
    clock.at += 900_000;
  }
  const before = await orders();
  const dying = (name: string): void => {
    if (name === place) throw new Error(`died at ${name}`);
  };
  expect(await turn(dying)).toBe(true);
  expect(await orders()).toEqual(before);
  const failed = await owner
    .selectFrom('job')
    .select(['attempts', 'lastError'])
    .where('accountId', '=', park.accountId)
    .where('task', '<>', EVENT_HAPPENED)
    .execute();
  expect(failed).toEqual([{ attempts: 1, lastError: `died at ${place}` }]);

  clock.at += 1_000;
  await turn();
  expect(await orders()).toMatchObject([
    { seq: 1, state: 'dispatched', escalatedAt: isEscalation ? clock.now() : null },
  ]);
});

test('a fault that was over before its order was made says so on the order', async () => {
  await leaks(1);
  await ownerPool.query(
    `update fault set cleared_at = opened_at, cleared_why = 'recovered' where account_id = $1`,
    [park.accountId],
  );
  while (await turn());
  const history = await owner
    .selectFrom('workOrderEvent')
    .select('what')
    .where('accountId', '=', park.accountId)
    .orderBy('id')
    .execute();
  expect(history.map(({ what }) => what)).toEqual(['created', 'dispatched', 'fault_cleared']);
});

test('the year of a number is that of the site', async () => {
  clock.at = Date.UTC(2026, 11, 31, 16, 30); // Already 2027 in Shanghai.
  await leaks(1);
  await turn();
  const [row] = await owner
    .selectFrom('workOrder')
    .select(['year', 'seq'])
    .where('accountId', '=', park.accountId)
    .execute();
  expect(row).toEqual({ year: 2027, seq: 1 });
});
