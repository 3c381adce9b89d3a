export { leases, spaces, tenants } from './repository.ts';
export { tenancyRoutes } from './routes.ts';
