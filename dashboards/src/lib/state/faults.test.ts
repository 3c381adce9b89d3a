import type { Equipment, Fault } from '@parkline/contract';
import { expect, test } from 'vitest';
import { findConcerns } from './concerns.ts';
import { careOf, Faults } from './faults.svelte.ts';
import type { Trouble } from './trouble.ts';

const fault = (id: string, over: Partial<Fault> = {}): Fault => ({
  id,
  rule: 'ahu-supply-fan-fails',
  title: id,
  advice: '',
  severity: 'warning',
  state: 'open',
  equipmentId: 'e1',
  equipmentName: 'AHU',
  gatewayId: null,
  buildingId: 'b1',
  floorId: null,
  pointIds: [],
  detail: '',
  openedAt: '2026-11-22T10:00:00.000Z',
  clearedAt: null,
  clearedWhy: null,
  acknowledgedAt: null,
  acknowledgedBy: null,
  endsByAcknowledging: false,
  causeId: null,
  consequences: 0,
  orderId: null,
  orderState: null,
  orderNumber: null,
  ...over,
});
const trouble = (key: string, over: Partial<Trouble> = {}): Trouble => ({
  key,
  kind: 'deviceSilent',
  severity: 'warning',
  name: key,
  where: [],
  count: 1,
  buildingId: 'b1',
  gatewayId: 'g1',
  equipmentId: key,
  since: Date.parse('2026-11-22T09:00:00.000Z'),
  ...over,
});
const device = (id: string): Equipment => ({
  id,
  name: id,
  kind: 'ahu',
  template: 't',
  buildingId: 'b1',
  floorId: null,
  gatewayId: 'g1',
  protocol: 'bacnet',
  address: '',
  state: 'silent',
  lastOkAt: null,
  error: null,
  powerPointId: null,
  registerPointId: null,
});

test('the gravest come first, among equals the longest; only what needs somebody is an alarm', async () => {
  const faults = new Faults({
    faults: async (filter) => {
      expect(filter).toEqual({ state: 'open' });
      return [
        fault('notice', { severity: 'notice', openedAt: '2026-11-01T00:00:00.000Z' }),
        fault('young', { severity: 'critical', openedAt: '2026-11-22T11:00:00.000Z' }),
        fault('warning'),
        fault('old', { severity: 'critical' }),
      ];
    },
  });
  await faults.load();
  expect(faults.sorted.map(({ id }) => id)).toEqual(['old', 'young', 'warning', 'notice']);
  expect(faults.alarms).toBe(3);
  expect(faults.of('e2')).toEqual([]);
});

test.each([
  ['nobody', {}],
  ['told', { severity: 'notice' }],
  ['seen', { acknowledgedAt: '2026-11-22T10:01:00.000Z' }],
  ['waiting', { orderState: 'waiting', acknowledgedAt: '2026-11-22T10:01:00.000Z' }],
  ['ordered', { orderState: 'dispatched' }],
  ['accepted', { orderState: 'accepted' }],
  ['working', { orderState: 'in_progress' }],
  ['repaired', { orderState: 'done' }],
  ['nobody', { orderState: 'cancelled' }],
] as const)('%s cares for %o', (care, over) => expect(careOf(fault('f', over))).toBe(care));

test('what a fault tells of a device or a gateway is not told twice', () => {
  const concerns = findConcerns(
    [fault('f1', { equipmentId: 'e1' }), fault('f2', { equipmentId: null, gatewayId: 'g2' })],
    [
      trouble('e1'),
      trouble('e3', { severity: 'critical' }),
      trouble('g2', { kind: 'gatewayOffline', gatewayId: 'g2', equipmentId: null }),
    ],
    [],
  );
  expect(concerns.map(({ key }) => key)).toEqual(['e3', 'f1', 'f2']);
});

test('a silent building is told until each of its devices has a fault of its own', () => {
  const silent = trouble('b1', { kind: 'buildingSilent', equipmentId: null, count: 2 });
  const inside = [device('e1'), device('e2')];
  const one = [fault('f1', { equipmentId: 'e1' })];
  expect(findConcerns(one, [silent], inside).map(({ key }) => key)).toEqual(['b1', 'f1']);
  const both = [...one, fault('f2', { equipmentId: 'e2' })];
  expect(findConcerns(both, [silent], inside).map(({ key }) => key)).toEqual(['f1', 'f2']);
});

test('what nobody knows the beginning of comes last among its equals', () => {
  const concerns = findConcerns([fault('f1', { equipmentId: 'e9' })], [trouble('e1', { since: null })], []);
  expect(concerns.map(({ key }) => key)).toEqual(['f1', 'e1']);
});
