import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { type FaultPark, givenFaultPark, type TestClock } from './faults/testing.ts';
import { newId } from './platform/ids.ts';
import { clonedDatabase } from './platform/testing.ts';
import { workerFailpoints } from './worker.ts';

const { url, owner, pool } = await clonedDatabase();
const ownerPool = pool();
/** The clock of everybody: the worker is a process of its own. */
const clock: TestClock = {
  get at() {
    return Date.now();
  },
  now: () => new Date(),
};

const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** The worker as it is started in production. */
function startWorker(failpoint?: string): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: {
      ...{ PATH: process.env['PATH'], ROLE: 'worker', DATABASE_URL: url, NATS_URL: 'nats://127.0.0.1:9' },
      ...{ LOG_LEVEL: 'warn', ...(failpoint && { PARKLINE_FAILPOINT: failpoint }) },
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

let park: FaultPark;
let sensor: string;
beforeEach(async () => {
  await ownerPool.query('delete from job');
  park = await givenFaultPark(ownerPool, clock);
  const technician = newId();
  await ownerPool.query(
    `with lin as (insert into person (id, account_id, login, name, password_hash, skills)
       values ($1::uuid, $2, ($1::uuid)::text, 'Lin', '$argon2id$none', '{plumbing}') returning id, account_id)
     insert into role_grant (id, account_id, person_id, role) select id, account_id, id, 'technician' from lin`,
    [technician, park.accountId],
  );
  await ownerPool.query(
    `insert into fault_rule_setting (account_id, rule, enabled, for_s, updated_at, updated_by)
     values ($1, 'water-leak', true, 0, now(), $2)`,
    [park.accountId, technician],
  );
  sensor = await park.add('leak-sensor', 'leak');
});

/** Keeps the park alive, as a gateway does, until `is` says so. */
async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 600; i += 1) {
    await park.heard();
    if (await is()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never: ${what}`);
}

const state = async () => {
  const one = async (text: string) => (await ownerPool.query(text, [park.accountId])).rows;
  return {
    faults: await one('select order_id is not null as ordered, cleared_at from fault where account_id = $1'),
    orders: await one('select seq, state, escalated_at from work_order where account_id = $1'),
    jobs: await one('select task, attempts from job where account_id = $1 order by 1'),
    told: await one('select what from work_order_event where account_id = $1 order by id'),
  };
};

test.each(workerFailpoints)(
  'killed at %s, a worker that comes after it finds nothing lost and makes nothing twice',
  async (place) => {
    await park.heard();
    await park.set(sensor, { leak: 1 });
    const dying = startWorker(`${place}:crash@1`);
    const died = once(dying, 'exit');
    const leadUp = driveTo(place);
    expect((await died)[1]).toBe('SIGKILL');
    await leadUp;

    const next = startWorker();
    const isCleared = place === 'fault-cleared';
    await until('all is done', async () => {
      const { faults, orders, jobs, told } = await state();
      if (jobs.some(({ task }) => task === 'event.happened')) return false;
      if (isCleared) return told.some(({ what }) => what === 'fault_cleared');
      return (
        orders.length > 0 && faults[0]?.ordered && (!place.includes('escalat') || orders[0].escalated_at)
      );
    });
    await stop(next);

    const { faults, orders, jobs, told } = await state();
    expect(faults).toHaveLength(1);
    expect(orders).toMatchObject([{ seq: 1, state: 'dispatched' }]);
    const isEscalated = place.includes('escalat');
    expect(jobs).toEqual(isEscalated ? [] : [{ task: 'work-order.escalate', attempts: 0 }]);
    expect(told.map(({ what }) => what)).toEqual([
      ...['created', 'dispatched'],
      ...(isEscalated ? ['escalated'] : isCleared ? ['fault_cleared'] : []),
    ]);
  },
  120_000,
);

/** Brings about what the later places need: an order whose time is over, or a leak that is dry. */
async function driveTo(place: string): Promise<void> {
  const needsOrder = place.includes('escalat') || place === 'fault-cleared';
  if (!needsOrder) return;
  await until('an order', async () => (await state()).orders.length > 0);
  if (place === 'fault-cleared') {
    await park.set(sensor, { leak: 0 });
    // Until the worker that is to die has seen it dry for long enough.
    await until('dead', async () => children.size === 0);
    return;
  }
  await ownerPool.query(`update work_order set accept_by = now() - interval '1 s' where account_id = $1`, [
    park.accountId,
  ]);
  await ownerPool.query(`update job set due_at = now() - interval '1 s' where account_id = $1`, [
    park.accountId,
  ]);
}

test('killed again and again at any moment, workers make one order of one fault', async () => {
  await park.heard();
  await park.set(sensor, { leak: 1 });
  for (const ms of [900, 1_400, 2_000, 2_600, 3_200]) {
    const child = startWorker();
    const over = Date.now() + ms;
    await until('time is over', async () => Date.now() >= over);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  const last = startWorker();
  await until('an order', async () => (await state()).orders.length > 0);
  await until('all is told', async () => (await state()).jobs.every(({ task }) => task !== 'event.happened'));
  await stop(last);
  expect(await state()).toMatchObject({
    faults: [{ ordered: true }],
    orders: [{ seq: 1, state: 'dispatched' }],
    jobs: [{ task: 'work-order.escalate' }],
  });
  expect(await owner.selectFrom('faultBeat').select('accountId').execute()).not.toEqual([]);
}, 120_000);
