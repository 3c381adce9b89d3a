export { orderFailpoints, workOrderJobs } from './jobs.ts';
export { workOrderRoutes } from './routes.ts';
