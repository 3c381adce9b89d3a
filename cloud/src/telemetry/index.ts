export { createFailpoint } from './failpoint.ts';
export { UnreadableFile } from './import-parse.ts';
export { importReadings, type ImportResult } from './import-readings.ts';
export { runIngest } from './ingest.ts';
export { telemetryRoutes } from './routes.ts';
