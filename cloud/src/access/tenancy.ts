import { roles } from '@parkline/contract';
import { money, type Routes } from './routes.ts';

const letting = [...money, 'leasing_officer'] as const;

export const tenancy: Routes = {
  'GET /api/spaces': { who: roles },
  'GET /api/tenants': { who: letting },
  'GET /api/leases': { who: letting },
};
