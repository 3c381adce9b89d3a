import { notifyChanged } from '../platform/changes.ts';
import type { Now } from '../platform/clock.ts';
import type { NewId } from '../platform/ids.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';
import { faultCleared, METER_SWAPPED } from './events.ts';
import { faults } from './repository.ts';
import type { Rules } from './rules.ts';

/** What others tell: a recorded swap settles why the register of a meter fell. */
export const faultJobs = (deps: {
  readonly now: Now;
  readonly newId: NewId;
  readonly rules: Rules;
}): JobHandlers => ({
  [METER_SWAPPED]: async (trx, { accountId, key: equipmentId }) => {
    const stepBacks = [...deps.rules.values()].filter(({ kind }) => kind === 'step-back');
    const keys = stepBacks.map(({ key }) => key);
    const at = deps.now();
    for (const { id } of await faults.openOf(trx, accountId, keys, equipmentId)) {
      if (!(await faults.clear(trx, accountId, id, at, 'swapped'))) continue;
      await faultCleared(trx, deps.newId, { accountId, faultId: id, at });
      await notifyChanged(trx, accountId, 'faults');
    }
  },
});
