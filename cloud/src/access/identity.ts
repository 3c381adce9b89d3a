import { admin, type Routes } from './routes.ts';

export const identity: Routes = {
  'POST /api/login': { who: 'anyone' },
  'GET /api/session': { who: 'anyone' },
  'GET /api/setup': { who: 'anyone' },
  'POST /api/setup': { who: 'anyone' },
  'POST /api/logout': { who: 'whoever is logged in' },
  'GET /api/me': { who: 'whoever is logged in' },
  'GET /api/audit': { who: admin },
  'GET /api/changes': { who: 'whoever is logged in' },
};
