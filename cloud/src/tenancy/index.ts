export { leases, spaces, tenants } from './repository.ts';
export { tenancyRoutes } from './routes.ts';
export { seedTenancy, type TenancyPlan } from './seed.ts';
