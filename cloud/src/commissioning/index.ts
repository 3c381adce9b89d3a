import { checkJobs, type CheckDeps } from './check.ts';
import { paperJobs } from './paper.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';

export { commissioningRoutes } from './routes.ts';
export { runSeals } from './seal.ts';
export { verifyReport } from './verify.ts';

/** What proofs and reports do by themselves. */
export const commissioningJobs = (deps: CheckDeps): JobHandlers => ({ ...checkJobs(deps), ...paperJobs() });
