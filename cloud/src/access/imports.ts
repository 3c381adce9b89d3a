import type { Routes } from './routes.ts';

/** Which permission is asked for depends on the kind: imports/routes.int.test.ts. */
export const imports: Routes = {
  'POST /api/imports': { who: 'whoever is logged in', query: 'kind=sites&dryRun=true' },
  'GET /api/imports': { who: 'whoever is logged in' },
  'POST /api/imports/:id/undo': { who: 'whoever is logged in' },
  'GET /api/import-kinds': { who: 'whoever is logged in' },
  'GET /api/exports/:name': { who: 'whoever is logged in' },
  'GET /api/import-templates/:name': { who: 'whoever is logged in' },
};
