export { gatewaysHeld } from './clock.ts';
export { saveCommandResults } from './command-results.ts';
export { secretParams } from './bus-routes.ts';
export { commandRoutes } from './command-routes.ts';
export { runCommandSender } from './command-sender.ts';
export { gatewayState, OFFLINE_AFTER_MS } from './domain.ts';
export { buses, gatewayConnections, keepBusSecrets, keepTokens } from './bus-repository.ts';
export { type BusPorts, ConnectionError, connectionParams, type DeviceTokens } from './connections.ts';
export { gatewayConfig, setPath } from './gateway-config.ts';
export { runHealth } from './health.ts';
export { ParkFileError, parseParkFile, type ParkFile } from './park-file.ts';
export { equipment, gateways } from './repository.ts';
export { fleetRoutes } from './routes.ts';
export { seedFleet, type SeededGateway } from './seed.ts';
export { status } from './status.ts';
export { equipmentSheet } from './equipment-sheet.ts';
export { pointSheet } from './point-sheet.ts';
export { thingRoutes } from './thing-routes.ts';
export { filteredPoints } from './model-routes.ts';
export {
  EQUIPMENT_CHANGED,
  type EquipmentChanged,
  tellEquipmentChanged,
  type WithReadings,
} from './thing-changes.ts';
