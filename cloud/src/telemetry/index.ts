export { telemetryRetention } from './retention.ts';
export { failpoints as ingestFailpoints } from './failpoint.ts';
export { UnreadableFile } from './import-parse.ts';
export { type ListedMeter, readMeters } from './import-meters.ts';
export { counted, importReadings, type ImportResult } from './import-readings.ts';
export { runIngest } from './ingest.ts';
export { bucketEdges } from './repository.ts';
export { reportRoutes } from './report-routes.ts';
export { telemetryRoutes } from './routes.ts';
