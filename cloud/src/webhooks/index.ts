export { type DeliverDeps, runDeliveries, webhookJobs, webhookRetention } from './sending.ts';
export { webhookRoutes } from './routes.ts';
export { createSend } from './send.ts';
