import { admin, builders, type Routes } from './routes.ts';

const readers = [...builders, 'executive'] as const;
const name = { en: 'Gateway', zh: '网关' };
const building = '00000000-0000-7000-8000-000000000000';

/** How gateways join, are configured and leave. */
export const provisioning: Routes = {
  'POST /api/claims': { who: 'anyone', body: { code: '0000-0000-0000-0000-0000' } },
  'POST /api/claims/complete': { who: 'anyone', body: {} },
  'POST /api/gateways': { who: builders, body: { key: 'gw-new', name, buildingId: building }, own: [400] },
  'GET /api/gateways/:id': { who: readers },
  'PATCH /api/gateways/:id': { who: builders, body: { name } },
  'DELETE /api/gateways/:id': { who: admin },
  'GET /api/gateways/:id/claim-codes': { who: admin },
  'POST /api/gateways/:id/claim-codes': { who: admin, body: { hours: 1 } },
  'DELETE /api/gateways/:id/claim-codes/:codeId': { who: admin },
  // The name is another: the gateway is still needed by the other rows.
  'POST /api/gateways/:id/revoke': { who: admin, body: { name: 'another' }, own: [400] },
  'POST /api/gateways/:id/rotate': { who: admin },
  'GET /api/gateways/:id/configs': { who: readers },
  'GET /api/gateways/:id/configs/:n': { who: readers },
  // The full account has devices on buses that nobody described.
  'POST /api/gateways/:id/config-diff': { who: readers, body: {}, own: [422] },
  'POST /api/gateways/:id/configs': { who: admin, body: {}, own: [422] },
  'GET /api/gateways/:id/mappings': { who: readers },
  'POST /api/gateways/:id/mappings/:mappingId/accept': { who: builders },
  'POST /api/gateways/:id/mappings/:mappingId/reject': { who: builders },
  'POST /api/gateways/:id/logs': { who: readers, body: { lines: 5 } },
};
