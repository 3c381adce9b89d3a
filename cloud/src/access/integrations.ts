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
  'GET /api/webhooks': { who: admin },
  'GET /api/webhooks/:id': { who: admin },
  'POST /api/webhooks': {
    who: admin,
    body: { name: 'Accounting', url: 'https://example.com/hook', kinds: ['fault.raised'] },
  },
  'PATCH /api/webhooks/:id': { who: admin, body: { name: 'Other' } },
  'DELETE /api/webhooks/:id': { who: admin },
  // The secret of the fixture is none that opens.
  'POST /api/webhooks/:id/rotate-secret': { who: admin, own: [503] },
  'GET /api/webhooks/:id/deliveries': { who: admin },
  'POST /api/webhooks/:id/test': { who: admin },
  'POST /api/webhooks/:id/replay': {
    who: admin,
    body: { from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' },
  },
};
