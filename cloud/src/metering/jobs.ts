import type { JobHandlers } from '../platform/run-jobs.ts';
import { type FollowDeps, followJobs } from './follow-meters.ts';
import { handoverJobs } from './handover.ts';

/** What meters do by themselves: they follow their devices, and keep what was read as spaces changed hands. */
export const meteringJobs = (deps: FollowDeps): JobHandlers => ({ ...handoverJobs, ...followJobs(deps) });
