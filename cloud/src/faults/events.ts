import type { Severity } from '@parkline/contract';
import { type Db } from '../platform/db.ts';
import { happened } from '../platform/events.ts';
import { jobs, type NewJob } from '../platform/jobs.ts';
import type { NewId } from '../platform/ids.ts';

/**
 * Events of faults, as jobs for whoever knows what to do: written in the transaction of the fault itself, handled once.
 * The key is the fault's id.
 */
export const FAULT_OPENED = 'fault.opened';
export const FAULT_CLEARED = 'fault.cleared';
/** Handled here: somebody recorded that a meter was swapped. The key is the equipment's id. */
export const METER_SWAPPED = 'meter.swapped';

interface FaultEvent {
  readonly accountId: string;
  readonly faultId: string;
  readonly at: Date;
}

/** A fault that stands by itself was opened, or has lost the cause that it was grouped under. */
export const faultOpened = (trx: Db, newId: NewId, event: FaultEvent): Promise<void> =>
  jobs.enqueue(trx, newId, eventJob(FAULT_OPENED, event));

export async function faultCleared(trx: Db, newId: NewId, event: FaultEvent): Promise<void> {
  const { accountId, faultId, at } = event;
  await jobs.enqueue(trx, newId, eventJob(FAULT_CLEARED, event));
  await happened(trx, newId, { accountId, kind: 'fault.cleared', at, data: { faultId } });
  const { rule, gatewayId, clearedWhy } = await trx
    .selectFrom('fault')
    .select(['rule', 'gatewayId', 'clearedWhy'])
    .where('accountId', '=', accountId)
    .where('id', '=', faultId)
    .executeTakeFirstOrThrow();
  if (rule === GATEWAY_OFFLINE && clearedWhy === 'recovered')
    await happened(trx, newId, { accountId, kind: 'gateway.online', at, data: { gatewayId } });
}

/** The rule that judges whether a gateway is heard: what it finds is told as the gateway's own event, too. */
const GATEWAY_OFFLINE = 'gateway-offline';

/** Tells other systems of every fault, also of one that needs nobody or is the consequence of another. */
export async function faultRaised(
  trx: Db,
  newId: NewId,
  { accountId, faultId, at, rule, gatewayId }: FaultEvent & { rule: string; gatewayId: string | null },
): Promise<void> {
  await happened(trx, newId, { accountId, kind: 'fault.raised', at, data: { faultId } });
  if (rule === GATEWAY_OFFLINE)
    await happened(trx, newId, { accountId, kind: 'gateway.offline', at, data: { gatewayId } });
}

const eventJob = (task: string, { accountId, faultId, at }: FaultEvent): NewJob => ({
  accountId,
  task,
  key: faultId,
  dueAt: at,
});

/** Only what somebody must act on. */
export const needsOrder = (severity: Severity): boolean => severity !== 'notice';
