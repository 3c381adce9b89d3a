import type { Equipment, Gateway, Point } from '@parkline/contract';
import { expect, test } from 'vitest';
import { mainMeters, powerNow, sumSeries } from './buildings.ts';
import { Park } from './park.svelte.ts';
import type { Reading } from './reading.ts';
import { findTrouble } from './trouble.ts';

const device = (id: string, over: Partial<Equipment> = {}): Equipment => ({
  id,
  name: id,
  kind: 'three-phase-meter',
  template: 't',
  buildingId: 'b1',
  floorId: 'f1',
  gatewayId: 'g1',
  protocol: 'modbus',
  address: '',
  state: 'online',
  lastOkAt: '2026-11-22T10:00:00.000Z',
  error: null,
  powerPointId: `${id}-kw`,
  registerPointId: null,
  ...over,
});
const gateway = (id: string, state: Gateway['state'] = 'online'): Gateway => ({
  id,
  key: id,
  name: id,
  buildingId: 'b1',
  state,
  lastSeenAt: '2026-11-22T09:00:00.000Z',
  version: null,
  writing: null,
  startedAt: null,
  outbox: null,
  clock: null,
  devices: { total: 1, online: 1 },
});
const point = (id: string, equipmentId: string): Point => ({
  id,
  name: id,
  unit: 'kW',
  protocol: 'modbus',
  value: 1,
  at: null,
  quality: 'good',
  equipmentId,
  key: 'active_power_total',
  kind: 'gauge',
  decimals: 1,
  staleAfterMs: 1,
});
const good = (value: number): Reading => ({ value, at: 1, freshness: 'good' });

const floors = [{ id: 'f1', name: 'F1', level: 0 }];
const building = (id: string, own = floors) => ({ id, name: id, floors: own });
const places = {
  sites: [
    {
      id: 's',
      name: 'S',
      timezone: 'Asia/Shanghai',
      currency: 'CNY',
      buildings: [building('b1'), building('b2', [])],
    },
  ],
};

async function park(devices: Equipment[]) {
  const loaded = new Park({
    places: async () => places,
    equipment: async () => devices,
    gateways: async () => [],
  });
  await loaded.load();
  return loaded;
}

test('a place holds the devices of everything below it', async () => {
  const { devicesIn } = await park([
    device('a'),
    device('b', { floorId: null }),
    device('c', { buildingId: 'b2', floorId: null }),
  ]).then((loaded) => ({ devicesIn: (place?: string) => loaded.devicesIn(place).map(({ id }) => id) }));
  expect(devicesIn()).toEqual(['a', 'b', 'c']);
  expect(devicesIn('s')).toEqual(['a', 'b', 'c']);
  expect(devicesIn('b1')).toEqual(['a', 'b']);
  expect(devicesIn('f1')).toEqual(['a']);
});

test('the way to a place begins at the site', async () => {
  const loaded = await park([]);
  expect(loaded.pathTo('f1').map(({ id }) => id)).toEqual(['s', 'b1', 'f1']);
  expect(loaded.pathTo('nowhere')).toEqual([]);
  expect(loaded.timezoneOf('b2')).toBe('Asia/Shanghai');
});

test('a dead gateway is told once, not once per device', () => {
  const found = findTrouble({
    buildings: [{ id: 'b1', name: 'B1' }],
    gateways: [gateway('g1', 'offline')],
    devices: [device('a', { state: 'silent' })],
    points: [point('p', 'a')],
    reading: () => ({ value: 1, at: 1, freshness: 'stale' }),
  });
  expect(found.map(({ kind, key, where }) => [kind, key, where])).toEqual([['gatewayOffline', 'g1', ['B1']]]);
});

test('a silent device hides its points; a stale point of a living device shows', () => {
  const found = findTrouble({
    buildings: [{ id: 'b1', name: 'B1' }],
    gateways: [gateway('g1')],
    devices: [device('a', { state: 'silent' }), device('b')],
    points: [point('pa', 'a'), point('pb', 'b')],
    reading: () => ({ value: 1, at: 5, freshness: 'stale' }),
  });
  expect(found.map(({ kind, name, where }) => [kind, name, where])).toEqual([
    ['pointStale', 'pb', ['b', 'B1']],
    ['deviceSilent', 'a', ['B1']],
  ]);
});

test('a building where no device answers is told once, since the last one stopped', () => {
  const found = findTrouble({
    buildings: [{ id: 'b1', name: 'B1' }],
    gateways: [gateway('g1')],
    devices: [
      device('a', { state: 'silent' }),
      device('b', { state: 'silent', lastOkAt: '2026-11-22T10:01:00.000Z' }),
      device('c', { state: 'unknown', lastOkAt: null }),
      device('d', { buildingId: 'b2', state: 'silent' }),
    ],
    points: [],
    reading: () => good(1),
  });
  expect(found.map(({ kind, key, count, since }) => [kind, key, count, since])).toEqual([
    ['buildingSilent', 'b1', 3, Date.parse('2026-11-22T10:01:00.000Z')],
    ['deviceSilent', 'd', 1, Date.parse('2026-11-22T10:00:00.000Z')],
  ]);
});

test('a building nothing is known of yet is told once, and is no alarm', () => {
  const found = findTrouble({
    buildings: [{ id: 'b1', name: 'B1' }],
    gateways: [gateway('g1')],
    devices: ['a', 'b'].map((id) => device(id, { state: 'unknown', lastOkAt: null })),
    points: [],
    reading: () => good(1),
  });
  expect(found.map(({ kind, severity, since }) => [kind, severity, since])).toEqual([
    ['buildingUnknown', 'warning', null],
  ]);
});

test('several points of a device with the same trouble are one row', () => {
  const found = findTrouble({
    buildings: [{ id: 'b1', name: 'B1' }],
    gateways: [gateway('g1')],
    devices: [device('a')],
    points: [point('p', 'a'), point('q', 'a'), point('r', 'a')],
    reading: ({ id }) => ({ value: null, at: 5, freshness: id === 'r' ? 'good' : 'bad' }),
  });
  expect(found.map(({ kind, name, where, count }) => [kind, name, where, count])).toEqual([
    ['pointBad', 'a', ['B1'], 2],
  ]);
});

test('a device that is starting and a point never read are no trouble yet', () => {
  const found = findTrouble({
    buildings: [{ id: 'b1', name: 'B1' }],
    gateways: [gateway('g1')],
    devices: [device('a', { state: 'starting' }), device('b')],
    points: [point('pb', 'b')],
    reading: () => ({ value: null, at: null, freshness: 'never' }),
  });
  expect(found).toEqual([]);
});

test('the power of a building is the sum of its main meters, or nothing', () => {
  const devices = [
    device('m1'),
    device('m2'),
    device('sub', { submeterOfId: 'm1' }),
    device('w', { kind: 'water-meter' }),
  ];
  const meters = mainMeters(devices, 'b1');
  expect(meters.map(({ id }) => id)).toEqual(['m1', 'm2']);
  const points = new Map([point('m1-kw', 'm1'), point('m2-kw', 'm2')].map((p) => [p.id, p]));
  expect(powerNow(meters, points, () => good(2))).toEqual({ value: 4, at: 1, freshness: 'good' });
  const stale: Reading = { value: 9, at: 1, freshness: 'stale' };
  expect(powerNow(meters, points, ({ id }) => (id === 'm1-kw' ? good(2) : stale))).toEqual({
    ...stale,
    value: null,
  });
  expect(powerNow(meters, new Map(), () => good(2))?.freshness).toBe('never');
  expect(powerNow([], points, () => good(2))).toBeUndefined();
});

test('a hole in one series is a hole in the sum', () => {
  const at = (hour: number) => `2026-11-22T0${hour}:00:00.000Z`;
  const sum = sumSeries([
    [
      { at: at(1), value: 1 },
      { at: at(2), value: 2 },
      { at: at(3), value: 3 },
    ],
    [
      { at: at(1), value: 10 },
      { at: at(2), value: null },
    ],
  ]);
  expect(sum.map(({ value }) => value)).toEqual([11, null, null]);
});
