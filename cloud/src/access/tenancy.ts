import { roles } from '@parkline/contract';
import { admin, money, type Routes } from './routes.ts';

const letting = [...money, 'leasing_officer'] as const;
/** Who keeps places and leases. */
const keepers = [...admin, 'leasing_officer'] as const;
const name = { en: 'Thing', zh: '物' };
const nowhere = '00000000-0000-7000-8000-000000000000';
const tenant = { key: 'new', name };
const contact = { key: 'new', tenantId: nowhere, kind: 'general', name: 'Li', phone: null, mail: null };
const lease = {
  key: 'new',
  tenantId: nowhere,
  spaceIds: [nowhere],
  from: '2030-01-01',
  to: null,
  headcount: null,
};

export const tenancy: Routes = {
  'GET /api/spaces': { who: roles },
  'GET /api/tenants': { who: letting },
  'GET /api/tenants/:id': { who: letting },
  'POST /api/tenants': { who: keepers, body: tenant, own: [201, 409] },
  'PUT /api/tenants/:id': { who: keepers, body: tenant },
  'DELETE /api/tenants/:id': { who: keepers },
  'GET /api/contacts': { who: keepers },
  'GET /api/contacts/:id': { who: keepers },
  'POST /api/contacts': { who: keepers, body: contact, own: [400] },
  'PUT /api/contacts/:id': { who: keepers, body: contact },
  'DELETE /api/contacts/:id': { who: keepers },
  'GET /api/leases': { who: letting },
  'GET /api/leases/:id': { who: letting },
  'POST /api/leases': { who: keepers, body: lease, own: [400] },
  'PUT /api/leases/:id': { who: keepers, body: lease },
  'DELETE /api/leases/:id': { who: keepers },
  'GET /api/leases/:id/meters': { who: keepers },
  'POST /api/leases/:id/move-in': { who: keepers, body: { date: '1990-01-01' }, own: [409] },
  'POST /api/leases/:id/move-out': { who: keepers, body: { date: '1990-01-01' }, own: [409] },
};
