import { expect, test } from 'vitest';
import { operationName, singular } from './openapi-names.ts';

test.each([
  ['GET', '/api/work-orders', true, 'listWorkOrders'],
  ['GET', '/api/work-orders/:id', false, 'getWorkOrder'],
  ['POST', '/api/work-orders/:id/accept', false, 'acceptWorkOrder'],
  ['POST', '/api/work-orders/:id/photos', false, 'createWorkOrderPhoto'],
  ['GET', '/api/equipment/:id', false, 'getEquipment'],
  ['POST', '/api/equipment', false, 'createEquipment'],
  ['GET', '/api/places', false, 'getPlaces'],
  ['POST', '/api/login', false, 'login'],
  ['POST', '/api/people', false, 'createPerson'],
  ['POST', '/api/buses', false, 'createBus'],
  ['PUT', '/api/fault-rules/:key', false, 'replaceFaultRule'],
  ['DELETE', '/api/webhooks/:id', false, 'deleteWebhook'],
  ['GET', '/api/my/usage-points', true, 'listMyUsagePoints'],
  ['GET', '/api/me', false, 'getMe'],
  ['GET', '/api/me/sessions', true, 'listMySessions'],
  ['GET', '/healthz', false, 'getHealthz'],
])('%s %s is called by what it does', (method, path, isList, name) => {
  expect(operationName(method, path, isList)).toBe(name);
});

test.each([
  ['people', 'person'],
  ['api-keys', 'api-key'],
  ['deliveries', 'delivery'],
  ['addresses', 'address'],
  ['leases', 'lease'],
  ['buses', 'bus'],
  ['bus', 'bus'],
  ['status', 'status'],
])('one of %s is a %s', (many, one) => expect(singular(many)).toBe(one));
