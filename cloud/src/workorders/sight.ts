import type { Actor } from '../platform/access.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { type Sight, workOrders } from './repository.ts';

/** Who may give orders, or only reads, sees all of them. */
export const sightOf = ({ accountId, personId, permissions }: Actor): Sight => ({
  accountId,
  onlyOf: permissions.has('workorder.work') && !permissions.has('workorder.dispatch') ? personId : null,
});

/** @throws AppError 'not_found', also for an order that this person does not see. */
export async function seen(trx: Db, actor: Actor, id: string) {
  const row = await workOrders.find(trx, sightOf(actor), id);
  if (!row) throw new AppError('not_found', 'no such order', { details: { id } });
  return row;
}
