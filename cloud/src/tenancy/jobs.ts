import type { Now } from '../platform/clock.ts';
import type { NewId } from '../platform/ids.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';
import { followJobs } from './follow-leases.ts';
import { accessJobs } from './tenant-access.ts';

/** What leases do by themselves: their days begin and end, and with the last one the access of the tenant's people. */
export const tenancyJobs = (deps: { readonly now: Now; readonly newId: NewId }): JobHandlers => ({
  ...followJobs(deps),
  ...accessJobs(deps),
});
