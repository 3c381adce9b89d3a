import { expect, test } from 'vitest';
import { operationName, singular } from './openapi-names.ts';

test.each([
  ['GET', '/api/work-orders', true, 'listWorkOrders', 'List work orders'],
  ['GET', '/api/work-orders/:id', false, 'getWorkOrder', 'Get a work order'],
  ['POST', '/api/work-orders/:id/accept', false, 'acceptWorkOrder', 'Accept a work order'],
  ['POST', '/api/work-orders/:id/photos', false, 'createWorkOrderPhoto', 'Create photo of a work order'],
  ['GET', '/api/equipment/:id', false, 'getEquipment', 'Get a piece of equipment'],
  ['GET', '/api/places', false, 'getPlaces', 'Get places'],
  ['POST', '/api/login', false, 'login', 'Login'],
  ['POST', '/api/people', false, 'createPerson', 'Create person'],
  ['POST', '/api/buses', false, 'createBus', 'Create bus'],
  ['PUT', '/api/fault-rules/:key', false, 'replaceFaultRule', 'Replace a fault rule'],
  ['DELETE', '/api/webhooks/:id', false, 'deleteWebhook', 'Delete a webhook'],
  ['GET', '/api/my/usage-points', true, 'listMyUsagePoints', 'List usage points of one’s own'],
  ['GET', '/healthz', false, 'getHealthz', 'Get healthz'],
])('%s %s is called by what it does', (method, path, isList, operationId, summary) => {
  expect(operationName(method, path, isList)).toEqual({ operationId, summary });
});

test.each([
  ['people', 'person'],
  ['api-keys', 'api-key'],
  ['deliveries', 'delivery'],
  ['addresses', 'address'],
  ['leases', 'lease'],
  ['status', 'status'],
])('one of %s is a %s', (many, one) => expect(singular(many)).toBe(one));
