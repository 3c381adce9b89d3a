import type { Severity } from '@parkline/contract';
import { type Db } from '../platform/db.ts';
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

/** A fault that stands by itself was opened, or has lost the cause that it was grouped under. */
export const faultOpened = (trx: Db, newId: NewId, event: { accountId: string; faultId: string; at: Date }) =>
  jobs.enqueue(trx, newId, eventJob(FAULT_OPENED, event));

export const faultCleared = (
  trx: Db,
  newId: NewId,
  event: { accountId: string; faultId: string; at: Date },
) => jobs.enqueue(trx, newId, eventJob(FAULT_CLEARED, event));

const eventJob = (
  task: string,
  { accountId, faultId, at }: { accountId: string; faultId: string; at: Date },
): NewJob => ({ accountId, task, key: faultId, dueAt: at });

/** Only what somebody must act on. */
export const needsOrder = (severity: Severity): boolean => severity !== 'notice';
