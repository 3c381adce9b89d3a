export { faultFailpoints } from './beat.ts';
export { FAULT_CLEARED, FAULT_OPENED, METER_SWAPPED } from './events.ts';
export { faultJobs } from './jobs.ts';
export { titleOf } from './present.ts';
export { faults } from './repository.ts';
export { faultRoutes } from './routes.ts';
export { loadRules, type Rules } from './rules.ts';
export { runFaults } from './run-faults.ts';
