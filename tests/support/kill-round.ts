import type { WorkOrder } from '@parkline/contract';
import { Client } from 'pg';
import { query } from '../../deploy/local/postgres.ts';
import type { FaultDesk, Scenario } from './fault-desk.ts';
import { type RunningPark, until } from './park.ts';

/**
 * Where in the life of an episode a process is killed: while the rule counts; in the middle of the transaction that makes the
 * order; in the middle of the one that tells the supervisor that nobody accepted.
 */
export const steps = ['pending', 'ordering', 'escalating'] as const;
export type Step = (typeof steps)[number];

/** One scenario, and which process is killed at which step of it. */
export interface Plan {
  readonly scenario: Scenario;
  readonly kills: Readonly<Partial<Record<Step, string>>>;
}

/** What one beginning of a scenario came to. All numbers are 1 when nothing was lost and nothing doubled. */
export interface Tally {
  readonly faults: number;
  readonly orders: number;
  readonly created: number;
  /** By the system; not counted are those by a person, each of which may be escalated once more. */
  readonly dispatched: number;
  readonly escalated: number;
}

/** Far above what a restart takes on a busy machine, ms. */
const PATIENCE_MS = 120_000;
/** What must be left of the time to accept, ms. */
const LEAST_LEFT_MS = 5_000;

export interface KillRound {
  readonly park: RunningPark;
  readonly desk: FaultDesk;
}

/** Begins the scenarios one after another and kills at the steps 'pending' and 'ordering'. @returns their orders. */
export async function beginUnderKills(round: KillRound, plans: readonly Plan[]): Promise<WorkOrder[]> {
  const { park, desk } = round;
  const orders: WorkOrder[] = [];
  for (const { scenario, kills } of plans) {
    const since = Date.now();
    await desk.play(scenario.name, true);
    await until(() => desk.isPending(scenario), PATIENCE_MS, `${scenario.rule} counts`);
    if (kills.pending) await killAndReturn(park, kills.pending);
    if (kills.ordering) {
      // An order takes its number in its transaction: who holds the numbers stops it there.
      const held = await hold(park, 'lock table work_order_count in share mode');
      try {
        await killWhileWaiting(park, kills.ordering, [held]);
      } finally {
        await held.release();
      }
    }
    const find = async () => (await ordersSince(desk, scenario, since))[0];
    await until(async () => (await find()) !== undefined, PATIENCE_MS, `${scenario.rule} has an order`);
    orders.push((await find())!);
  }
  return orders;
}

/** Kills at the step 'escalating' of orders that nobody accepted; `names` are the processes, one for each order. */
export async function escalateUnderKills(
  { park, desk }: KillRound,
  orders: readonly WorkOrder[],
  names: readonly string[],
): Promise<void> {
  const isEscalated = async (id: string): Promise<boolean> => (await desk.order(id)).escalatedAt !== null;
  for (const { id, acceptBy } of orders) {
    if (acceptBy !== null && Date.parse(acceptBy) - Date.now() >= LEAST_LEFT_MS) continue;
    // Too late for a kill in the middle of it: once that is over, the time to accept starts anew.
    await until(() => isEscalated(id), PATIENCE_MS, `${id} is escalated`);
    await desk.dispatchAgain(await desk.order(id));
  }
  // Who escalates an order locks it first: the rows stop that, whichever comes due first.
  const rows = new Set(
    await Promise.all(
      orders.map(({ id }) => hold(park, 'select from work_order where id = $1 for update', [id])),
    ),
  );
  try {
    for (const name of names) rows.delete(await killWhileWaiting(park, name, rows));
  } finally {
    for (const held of rows) await held.release();
  }
  for (const { id } of orders) await until(() => isEscalated(id), PATIENCE_MS, `${id} is escalated`);
}

/** Counts what came of a scenario that began at `since` (Unix ms). */
export async function tally(desk: FaultDesk, scenario: Scenario, since: number): Promise<Tally> {
  const faults = (await desk.faults()).filter(
    ({ rule, equipmentId, openedAt }) =>
      rule === scenario.rule && equipmentId === scenario.equipmentId && Date.parse(openedAt) >= since,
  );
  const orders = await ordersSince(desk, scenario, since);
  const told = (await Promise.all(orders.map(({ id }) => desk.order(id)))).flatMap(({ history }) => history);
  const given = told.filter(({ what }) => what === 'dispatched');
  const again = given.filter(({ who }) => who !== null).length;
  const count = (what: string): number => told.filter((one) => one.what === what).length;
  return {
    ...{ faults: faults.length, orders: orders.length, created: count('created') },
    ...{ dispatched: given.length - again, escalated: count('escalated') - again },
  };
}

async function ordersSince(desk: FaultDesk, { rule, equipmentId }: Scenario, since: number) {
  const faults = await desk.faults();
  const ids = faults
    .filter(
      (one) => one.rule === rule && one.equipmentId === equipmentId && Date.parse(one.openedAt) >= since,
    )
    .map(({ id }) => id);
  return (await desk.orders()).filter(({ faultId }) => faultId !== null && ids.includes(faultId));
}

/** Kills when somebody waits for one of the locks, and lets go of it. @returns that lock. */
async function killWhileWaiting(park: RunningPark, name: string, locks: Iterable<Held>): Promise<Held> {
  let waitedFor: Held | undefined;
  await until(
    async () => {
      for (const held of locks) if (await held.isWaitedFor()) waitedFor = held;
      return waitedFor !== undefined;
    },
    PATIENCE_MS,
    'the worker is in the middle of it',
  );
  await killAndReturn(park, name, waitedFor!.release);
  return waitedFor!;
}

/** @param meanwhile Done between the kill and the return. */
async function killAndReturn(
  park: RunningPark,
  name: string,
  meanwhile?: () => Promise<void>,
): Promise<void> {
  await until(async () => name in (await park.pids()), PATIENCE_MS, `${name} runs`);
  const before = (await park.pids())[name]!;
  await park.kill(name);
  await meanwhile?.();
  await park.untilReplaced(name, before, PATIENCE_MS);
}

/** A lock in the database that stops a transaction at a known place. */
interface Held {
  isWaitedFor(): Promise<boolean>;
  /** Safe to repeat. */
  release(): Promise<void>;
}

async function hold({ run }: RunningPark, sql: string, values: readonly string[] = []): Promise<Held> {
  const client = new Client({ connectionString: run.database });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('begin');
  await client.query(sql, [...values]);
  const { pid } = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!;
  let ended: Promise<void> | undefined;
  // Not by the same connection: within its transaction it would see the same activity for ever.
  const waiting = 'select from pg_stat_activity where $1 = any(pg_blocking_pids(pid))';
  return {
    isWaitedFor: async () => (await query(run.database, waiting, [pid])).length > 0,
    // Leaving rolls back.
    release: () => (ended ??= client.end()),
  };
}
