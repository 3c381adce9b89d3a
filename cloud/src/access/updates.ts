import { admin, builders, type Routes } from './routes.ts';

const readers = [...builders, 'executive'] as const;

/** Releases of the gateways' program. */
export const updates: Routes = {
  'GET /api/releases': { who: readers },
  // No release file: past the doors, and no further.
  'POST /api/releases': { who: admin, raw: { type: 'application/octet-stream', text: 'none' }, own: [400] },
  'GET /api/rollouts': { who: readers },
  'POST /api/rollouts': {
    who: admin,
    body: { releaseId: '018f0000-0000-7000-8000-000000000099', share: 1 },
    own: [404],
  },
  'POST /api/rollouts/:id/stop': { who: admin },
  'GET /api/gateways/:id/update': { who: readers },
};
