export { claimRoutes } from './claim-routes.ts';
export { codeRoutes } from './code-routes.ts';
export { saveConfigResults } from './config-results.ts';
export { configRoutes } from './config-routes.ts';
export { gatewayRoutes } from './gateway-routes.ts';
export { mappingRoutes } from './mapping-routes.ts';
export { runDesk } from './run-desk.ts';
export { runProvisioner } from './run-provisioner.ts';
