import { admin, type Routes } from './routes.ts';

export const identity: Routes = {
  'POST /api/login': { who: 'anyone' },
  'GET /api/session': { who: 'anyone' },
  'GET /api/setup': { who: 'anyone' },
  'POST /api/setup': { who: 'anyone' },
  'POST /api/logout': { who: 'whoever is logged in' },
  'GET /api/me': { who: 'whoever is logged in' },
  'GET /api/account': { who: admin },
  'PATCH /api/account': { who: admin, body: { name: { en: 'Another park', zh: '另一园区' } } },
  'GET /api/audit': { who: admin },
  'GET /api/changes': { who: 'whoever is logged in' },
};
