export { type DeliverDeps, runDeliveries, webhookJobs, webhookRetention } from './deliver.ts';
export { webhookRoutes } from './routes.ts';
export { createSend } from './send.ts';
