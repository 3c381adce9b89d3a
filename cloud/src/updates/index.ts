export { runUpdates } from './desk.ts';
export { releasePublicKeys } from './release-file.ts';
export { saveUpdateResults } from './results.ts';
export { updateRoutes } from './routes.ts';
