import { builders, type Routes } from './routes.ts';

const body = { serial: 'SN 1', display: '1.0', readAt: '2026-11-01T08:00' };

/** Proof of meters, and the reports on it. */
export const commissioning: Routes = {
  'GET /api/commissioning': { who: builders },
  'GET /api/commissioning/:id': { who: builders },
  'PUT /api/commissioning/:id': { who: builders, body },
  'POST /api/commissioning/:id/photo': { who: builders },
  'GET /api/commissioning/:id/photo': { who: builders, own: [404] },
  'POST /api/commissioning/:id/check': { who: builders },
  // That an installer waives nothing is for the tests of the slice: the refusal names the role, not the right.
  'POST /api/commissioning/:id/waive': {
    who: builders,
    body: { reason: 'the display is dark' },
    own: [200, 403],
  },
  'GET /api/commissioning-reports': { who: builders },
  'POST /api/commissioning-reports': {
    who: builders,
    body: { gatewayId: '018f0000-0000-7000-8000-000000000099' },
    own: [404],
  },
  'POST /api/commissioning-reports/:id/sign': {
    who: builders,
    body: { as: 'engineer' },
    own: [200, 403, 409],
  },
  'GET /api/commissioning-reports/:id/pdf': { who: builders, own: [409] },
  'GET /api/commissioning-reports/:id/file': { who: builders, own: [409] },
};
