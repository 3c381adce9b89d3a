import { FAULT_CLEARED, FAULT_OPENED, faults, type Rules, titleOf } from '../faults/index.ts';
import { places } from '../places/index.ts';
import { notifyChanged } from '../platform/changes.ts';
import type { Now } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Hit } from '../platform/failpoints.ts';
import type { NewId } from '../platform/ids.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';
import { choose } from './dispatch.ts';
import { dispatch, isOverdue, type Order, yearIn } from './domain.ts';
import { type LockedOrder, workOrders } from './repository.ts';
import { ESCALATE, setTimer, settle, tellState } from './steps.ts';

/** Places of the handlers where the fault suite can kill the process; all inside the transaction of their job. */
export const orderFailpoints = [
  'before-order',
  'order-created',
  'order-dispatched',
  'before-escalation',
  'order-escalated',
] as const;

export interface WorkOrderJobDeps {
  readonly now: Now;
  readonly newId: NewId;
  readonly rules: Rules;
  readonly failpoint: Hit<(typeof orderFailpoints)[number]>;
}

/** What orders do by themselves: they come of faults, hear that these are over, and go to the supervisor in time. */
export const workOrderJobs = (deps: WorkOrderJobDeps): JobHandlers => ({
  [FAULT_OPENED]: (trx, { accountId, key }) => openOrder(trx, deps, accountId, key),
  [FAULT_CLEARED]: (trx, { accountId, key }) => noteCleared(trx, deps, accountId, key),
  [ESCALATE]: (trx, { accountId, key }) => escalate(trx, deps, accountId, key),
});

type Ending = Pick<NonNullable<Awaited<ReturnType<typeof faults.orderOf>>>, 'clearedAt' | 'clearedWhy'>;

/**
 * Makes the order of a fault and gives it to somebody. Safe to be told twice: the fault is locked and knows its order. A
 * consequence gets none: its cause has one.
 */
async function openOrder(trx: Db, deps: WorkOrderJobDeps, accountId: string, faultId: string): Promise<void> {
  const fault = await faults.lock(trx, accountId, faultId);
  const rule = fault && deps.rules.get(fault.rule);
  if (!fault || !rule || fault.orderId || fault.causeId || fault.severity === 'notice') return;
  deps.failpoint('before-order');
  const at = deps.now();
  const timezone = (await places.timezoneOf(trx, accountId, fault.buildingId)) ?? 'UTC';
  const year = yearIn(timezone, at);
  // First, for it makes orders of an account wait for one another: each choice sees the loads of the last one.
  const seq = await workOrders.nextSeq(trx, accountId, year);
  const order: LockedOrder = {
    ...{ ...untouched, id: deps.newId(), accountId, year, seq, faultId },
    ...{ severity: fault.severity, skill: rule.skill },
    ...{ buildingId: fault.buildingId, floorId: fault.floorId },
  };
  const title = titleOf(deps.rules, fault.rule);
  const { equipmentId } = fault;
  await workOrders.add(trx, { ...order, title, equipmentId, dispatchReason: null, createdAt: at });
  await workOrders.note(trx, order, { what: 'created', facts: { fault: true }, at, personId: null });
  await tellState(trx, deps.newId, order, order, at);
  deps.failpoint('order-created');
  await giveToBest(trx, deps, order, at);
  await noteIfOver(trx, order, fault, at);
  deps.failpoint('order-dispatched');
}

const untouched = {
  ...{ state: 'waiting', technicianId: null, acceptBy: null, escalatedAt: null, dispatchedAt: null },
  ...{ acceptedAt: null, startedAt: null, doneAt: null, note: null, version: 1 },
} as const satisfies Partial<Order>;

/** Whom nobody can take goes to the supervisor at once. */
async function giveToBest(trx: Db, { newId }: WorkOrderJobDeps, order: LockedOrder, at: Date): Promise<void> {
  const { accountId } = order;
  const { technicianId, reason } = choose(await workOrders.technicians(trx, accountId), order);
  if (technicianId === null) {
    const after = { ...order, escalatedAt: at };
    const event = { what: 'escalated', facts: { why: 'nobody_fits' } } as const;
    return settle(trx, newId, { before: order, after, event, personId: null, at, reason });
  }
  const acceptWithinMs = (await workOrders.settings(trx, accountId)).acceptWithinMin * 60_000;
  const result = dispatch(order, technicianId, at, acceptWithinMs);
  if (!result.ok) throw new Error(`a fresh order cannot be dispatched: ${result.why}`);
  const event = { what: 'dispatched', facts: reason } as const;
  await settle(trx, newId, { before: order, after: result.order, event, personId: null, at, reason });
}

/** A fault that was over before its order was made: nobody would tell the order later. */
async function noteIfOver(trx: Db, order: LockedOrder, { clearedAt, clearedWhy }: Ending, at: Date) {
  if (!clearedAt) return;
  const event = { what: 'fault_cleared', facts: { why: clearedWhy ?? 'recovered' } } as const;
  await workOrders.note(trx, order, { ...event, at, personId: null });
}

async function noteCleared(
  trx: Db,
  deps: WorkOrderJobDeps,
  accountId: string,
  faultId: string,
): Promise<void> {
  // The order is locked before the fault everywhere but where it is made: two who wait for each other would both be stopped.
  const fault = await faults.orderOf(trx, accountId, faultId);
  if (!fault?.orderId) return; // Made later, it sees for itself that its fault is over.
  const order = await workOrders.lock(trx, accountId, fault.orderId);
  if (!order || order.state === 'done' || order.state === 'cancelled') return;
  await noteIfOver(trx, order, fault, deps.now());
  await notifyChanged(trx, accountId, 'work-orders');
}

/** Nobody accepted in time: the supervisor sees it. The technician may still accept. */
async function escalate(trx: Db, deps: WorkOrderJobDeps, accountId: string, id: string): Promise<void> {
  const order = await workOrders.lock(trx, accountId, id);
  const at = deps.now();
  if (!order) return;
  // Given to somebody else just now, or a clock that was set back: the timer of what holds goes on.
  if (!isOverdue(order, at)) return setTimer(trx, deps.newId, order);
  deps.failpoint('before-escalation');
  const after = { ...order, escalatedAt: at };
  const event = { what: 'escalated', facts: { why: 'not_accepted' } } as const;
  await settle(trx, deps.newId, { before: order, after, event, personId: null, at });
  deps.failpoint('order-escalated');
}
