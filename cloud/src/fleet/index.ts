export { gatewayState, OFFLINE_AFTER_MS } from './domain.ts';
export type { BusPorts, DeviceTokens } from './connections.ts';
export { gatewayConfig, setPath } from './gateway-config.ts';
export { runHealth } from './health.ts';
export { ParkFileError, parseParkFile, type ParkFile } from './park-file.ts';
export { equipment, gateways } from './repository.ts';
export { fleetRoutes } from './routes.ts';
export { seedFleet, type SeededGateway } from './seed.ts';
export { status } from './status.ts';
