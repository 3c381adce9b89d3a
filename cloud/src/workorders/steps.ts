import { faults } from '../faults/index.ts';
import { notifyChanged } from '../platform/changes.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { happened } from '../platform/events.ts';
import type { NewId } from '../platform/ids.ts';
import { jobs } from '../platform/jobs.ts';
import type { DispatchReason } from './dispatch.ts';
import { type Order, orderNumber } from './domain.ts';
import { type LockedOrder, workOrders } from './repository.ts';
import type { OrderEvent } from './tables.ts';

/** Timer of an order that waits to be accepted; the key is the order's id. */
export const ESCALATE = 'work-order.escalate';

export interface Settled {
  readonly before: LockedOrder;
  readonly after: Order;
  readonly event: OrderEvent;
  /** Who did it; null for the system itself. */
  readonly personId: string | null;
  readonly at: Date;
  /** Set when the order was given to somebody. */
  readonly reason?: DispatchReason;
}

/**
 * Stores a step of an order with all that follows from it, in one transaction: history, timer, the word to the fault, the
 * notice to open pages. @throws AppError 'conflict' when somebody else was first.
 */
export async function settle(trx: Db, newId: NewId, step: Settled): Promise<void> {
  const { before, after, event, personId, at, reason } = step;
  const { accountId, id, faultId } = before;
  if (!(await workOrders.save(trx, after, reason)))
    throw new AppError('conflict', 'order changed meanwhile', { details: { why: 'changed' } });
  await workOrders.note(trx, before, { ...event, at, personId });
  await setTimer(trx, newId, after);
  if (after.state !== before.state) await tellState(trx, newId, after, before, at);
  if (faultId) {
    const number = orderNumber(before.year, before.seq);
    await faults.noteOrder(trx, accountId, faultId, { id, number, state: after.state });
  }
  await notifyChanged(trx, accountId, 'work-orders', ...(faultId ? (['faults'] as const) : []));
}

/** Other systems follow an order by its states. */
export const tellState = (
  trx: Db,
  newId: NewId,
  { id, state }: Pick<Order, 'id' | 'state'>,
  { accountId, year, seq }: Pick<LockedOrder, 'accountId' | 'year' | 'seq'>,
  at: Date,
): Promise<void> => {
  const data = { workOrderId: id, number: orderNumber(year, seq), state };
  return happened(trx, newId, { accountId, kind: 'work_order.changed', at, data });
};

/** The timer runs exactly while somebody has the order and has not accepted it. */
export async function setTimer(trx: Db, newId: NewId, order: Order): Promise<void> {
  const { accountId, id: key, acceptBy, escalatedAt } = order;
  if (acceptBy && !escalatedAt)
    await jobs.enqueue(trx, newId, { accountId, task: ESCALATE, key, dueAt: acceptBy });
  else await jobs.cancel(trx, accountId, ESCALATE, key);
}
