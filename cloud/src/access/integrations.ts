import { admin, type Routes } from './routes.ts';

/** Keys of programs, and what other systems are told. */
export const integrations: Routes = {
  'GET /api/api-keys': { who: admin },
  'GET /api/api-key-scopes': { who: admin },
  'GET /api/api-keys/:id': { who: admin },
  'POST /api/api-keys': {
    who: admin,
    body: { name: 'Energy report', scopes: ['place.read'], expiresAt: '2027-11-01T00:00:00Z' },
  },
  'DELETE /api/api-keys/:id': { who: admin },
};
