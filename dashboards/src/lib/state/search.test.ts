import type { Equipment, Point } from '@parkline/contract';
import { expect, test } from 'vitest';
import { mainPoint } from './main-point.ts';
import { Park } from './park.svelte.ts';
import { search } from './search.ts';

const device = (id: string, kind: string, over: Partial<Equipment> = {}): Equipment => ({
  id,
  name: id,
  kind,
  template: 't',
  buildingId: 'b1',
  floorId: null,
  gatewayId: 'g1',
  protocol: 'bacnet',
  address: '',
  state: 'online',
  lastOkAt: null,
  error: null,
  powerPointId: null,
  registerPointId: null,
  ...over,
});

async function found(words: string): Promise<string[]> {
  const park = new Park({
    places: async () => ({
      sites: [
        {
          id: 's',
          name: 'Harbour Park',
          timezone: 'Asia/Shanghai',
          currency: 'CNY',
          buildings: [{ id: 'b1', name: 'Building A', floors: [{ id: 'f1', name: 'Roof', level: 3 }] }],
        },
      ],
    }),
    equipment: async () => [
      device('AHU-1', 'ahu', { floorId: 'f1' }),
      device('Lift 1', 'elevator'),
      device('Canteen', 'three-phase-meter'),
    ],
    gateways: async () => [],
  });
  await park.load();
  const kinds: Record<string, string> = { ahu: 'Air handling unit', elevator: 'Elevator' };
  return search(park, words, (kind) => kinds[kind] ?? kind).map(({ name }) => name);
}

test('a device is found by its name, its kind and the way to it', async () => {
  expect(await found('lift')).toEqual(['Lift 1']);
  expect(await found('elevator')).toEqual(['Lift 1']);
  expect(await found('roof air')).toEqual(['AHU-1']);
  expect(await found('chiller')).toEqual([]);
});

test('a name that begins with the word comes before one that has it on its way', async () => {
  expect((await found('b')).at(0)).toBe('Building A');
  expect(await found('roof')).toEqual(['Roof', 'AHU-1']);
});

const point = (id: string, key: string): Point => ({
  id,
  name: id,
  unit: '°C',
  protocol: 'bacnet',
  value: 1,
  at: null,
  quality: 'good',
  equipmentId: 'e',
  key,
  kind: 'gauge',
  decimals: 1,
  staleAfterMs: 1,
});

test('one value stands for a device: that of its kind, or its power', () => {
  const points = [point('p1', 'active_power_total'), point('p2', 'supply_air_temperature')];
  expect(mainPoint(device('a', 'ahu', { powerPointId: 'p1' }), points)?.id).toBe('p2');
  expect(mainPoint(device('m', 'three-phase-meter', { powerPointId: 'p1' }), points)?.id).toBe('p1');
  expect(mainPoint(device('x', 'unheard-of'), points)).toBeUndefined();
});
