export { askToFollow, followLeases } from './follow-leases.ts';
export { tenancyJobs } from './jobs.ts';
export { LEASE_MOVED_IN, LEASE_MOVED_OUT, type LeaseMoved } from './moves.ts';
export { tenancyRecordRoutes } from './record-routes.ts';
export { leases, spaces, tenants } from './repository.ts';
export { tenancyRoutes } from './routes.ts';
export { seedTenancy, type TenancyPlan } from './seed.ts';
export { spaceSheet } from './space-sheet.ts';
export { contactSheet, leaseSheet, tenantSheet } from './tenant-sheets.ts';
