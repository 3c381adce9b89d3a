import { builders, lookers, type Routes } from './routes.ts';

const readers = [...lookers, 'installer'] as const;
const nowhere = '00000000-0000-7000-8000-000000000000';
const name = { en: 'A thing', zh: '设备' };

const equipment = {
  ...{ key: 'a-thing', name, template: 'ahu/generic-bacnet', gatewayId: nowhere, buildingId: nowhere },
  ...{ floorId: null, spaceId: null, bus: 'a-bus', params: { device: 1 }, submeterOfId: null, serves: [] },
  ...{ tags: {}, brick: null },
};
const point = {
  ...{ key: 'a_point', name, unit: '1', kind: 'gauge', resolution: 1, decimals: 0, pollMs: 1_000 },
  ...{ heartbeatMs: 60_000, states: null, write: null, spaceId: null, tags: {}, brick: null, source: null },
};
const bus = { gatewayId: nowhere, key: 'a-bus', protocol: 'modbus', params: {} };

export const things: Routes = {
  'GET /api/templates': { who: readers },
  // A body about nowhere is judged, and changes nothing.
  'POST /api/equipment': { who: builders, body: equipment, own: [400] },
  'PUT /api/equipment/:id': { who: builders, body: equipment },
  'DELETE /api/equipment/:id': { who: builders },
  'PUT /api/equipment/:id/secrets/:name': {
    who: builders,
    body: { value: 'a token of a device' },
  },
  'DELETE /api/equipment/:id/secrets/:name': { who: builders },
  'POST /api/equipment/:id/points': { who: builders, body: point, own: [400] },
  'GET /api/points/:id': { who: readers },
  'PUT /api/points/:id': { who: builders, body: point },
  'DELETE /api/points/:id': { who: builders },
  'GET /api/buses': { who: readers },
  'POST /api/buses': { who: builders, body: bus, own: [400] },
  'PUT /api/buses/:id': { who: builders, body: bus },
  'DELETE /api/buses/:id': { who: builders },
  'PUT /api/buses/:id/secrets/:name': { who: builders, body: { value: 'a password' } },
  'DELETE /api/buses/:id/secrets/:name': { who: builders },
  'GET /api/model/points': { who: readers },
  'GET /api/model/equipment': { who: readers },
  'GET /api/exports/model.ttl': { who: readers },
  'GET /api/exports/model.json': { who: readers },
  'GET /api/exports/model.zinc': { who: readers },
  'GET /api/floor-plans': { who: readers },
  'GET /api/floors/:id/plan': { who: readers },
  'GET /api/floors/:id/plan/image': { who: readers },
  'PUT /api/floors/:id/plan': { who: builders, body: { spaces: [], devices: [] } },
  'DELETE /api/floors/:id/plan': { who: builders },
  'PUT /api/floors/:id/plan/image': { who: builders, raw: { type: 'image/svg+xml', text: '<svg/>' } },
};
