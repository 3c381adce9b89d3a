export { createFailpoint } from './failpoint.ts';
export { runIngest } from './ingest.ts';
export { telemetryRoutes } from './routes.ts';
