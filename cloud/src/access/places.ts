import { roles } from '@parkline/contract';
import { admin, type Routes } from './routes.ts';

/** Who keeps places and leases. */
const keepers = [...admin, 'leasing_officer'] as const;
const name = { en: 'Thing', zh: '物' };
const nowhere = '00000000-0000-7000-8000-000000000000';
const site = { key: 'new', name, timezone: 'Asia/Shanghai', currency: 'CNY' };
const building = { key: 'new', name, siteId: nowhere, ord: 1 };
const floor = { key: 'new', name, buildingId: nowhere, level: 1 };
const space = { key: 'new', name, kind: 'unit', floorId: nowhere, areaM2: 10 };

export const places: Routes = {
  'GET /api/places': { who: roles },
  'GET /api/sites': { who: roles },
  'GET /api/sites/:id': { who: roles },
  'POST /api/sites': { who: keepers, body: site, own: [201, 409] },
  'PUT /api/sites/:id': { who: keepers, body: site },
  'DELETE /api/sites/:id': { who: keepers },
  'GET /api/buildings': { who: roles },
  'GET /api/buildings/:id': { who: roles },
  'POST /api/buildings': { who: keepers, body: building, own: [400] },
  'PUT /api/buildings/:id': { who: keepers, body: building },
  'DELETE /api/buildings/:id': { who: keepers },
  'GET /api/floors': { who: roles },
  'GET /api/floors/:id': { who: roles },
  'POST /api/floors': { who: keepers, body: floor, own: [400] },
  'PUT /api/floors/:id': { who: keepers, body: floor },
  'DELETE /api/floors/:id': { who: keepers },
  'GET /api/spaces/:id': { who: roles },
  'POST /api/spaces': { who: keepers, body: space, own: [400] },
  'PUT /api/spaces/:id': { who: keepers, body: space },
  'DELETE /api/spaces/:id': { who: keepers },
  'GET /api/spaces/:id/history': { who: keepers },
  'DELETE /api/spaces/:id/areas/:from': { who: keepers },
  'PUT /api/spaces/:id/state': { who: keepers, body: { state: 'intent', why: 'to see' } },
};
