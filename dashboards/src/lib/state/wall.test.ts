import type { Equipment, Fault, PlaceTree } from '@parkline/contract';
import { expect, test } from 'vitest';
import { ApiError } from '../api/errors.ts';
import { keepToken, Wall } from './wall.svelte.ts';

const building = (id: string) => ({ id, name: `Building ${id}`, floors: [] });
const places: PlaceTree = {
  sites: [
    {
      id: 's',
      name: 'Mill',
      timezone: 'Asia/Shanghai',
      currency: 'CNY',
      buildings: ['a', 'b'].map(building),
    },
  ],
};
const device = (buildingId: string, state: Equipment['state']) => ({ buildingId, state }) as Equipment;
const fault = (over: Partial<Fault>) => ({ buildingId: 'a', causeId: null, ...over }) as Fault;
const faults = [
  fault({ id: 'old', severity: 'warning', openedAt: '2026-11-23T01:00:00Z' }),
  fault({ id: 'new', severity: 'warning', openedAt: '2026-11-23T02:00:00Z' }),
  fault({ id: 'follows', severity: 'critical', openedAt: '2026-11-23T02:00:00Z', causeId: 'old' }),
  fault({ id: 'grave', severity: 'critical', openedAt: '2026-11-23T00:00:00Z', buildingId: 'b' }),
];
const api = {
  places: async () => places,
  equipment: async () => [device('a', 'online'), device('a', 'silent'), device('b', 'online')],
  faults: async () => faults,
};

test('counts devices and open faults by building, and puts the gravest and newest first', async () => {
  const wall = new Wall(api);
  await wall.read();
  expect([wall.title, wall.timezone]).toEqual(['Mill', 'Asia/Shanghai']);
  expect(wall.buildings).toMatchObject([
    { id: 'a', devices: 2, online: 1, open: { critical: 1, warning: 2, notice: 0 } },
    { id: 'b', devices: 1, online: 1, open: { critical: 1, warning: 0, notice: 0 } },
  ]);
  expect(wall.faults.map(({ id }) => id)).toEqual(['grave', 'new', 'old']);
  expect(wall.buildingOf(faults[3]!)).toBe('Building b');
});

test('what was read stays through an outage, and goes when the token is revoked', async () => {
  let error: ApiError | undefined;
  const wall = new Wall({ ...api, places: async () => (error ? Promise.reject(error) : places) });
  await wall.read();
  error = new ApiError(0, { code: 'offline', message: '' });
  await wall.read();
  expect([wall.buildings.length, wall.error?.offline]).toEqual([2, true]);
  error = new ApiError(401, { code: 'not_logged_in', message: '' });
  await wall.read();
  expect([wall.buildings.length, wall.faults.length, wall.error?.status]).toEqual([0, 0, 401]);
});

test('a token comes with the address once and is kept; another link replaces it', () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  expect(keepToken('', storage)).toBeUndefined();
  expect(keepToken('#content', storage)).toBeUndefined();
  expect([keepToken('#pd_1', storage), keepToken('', storage)]).toEqual(['pd_1', 'pd_1']);
  expect([keepToken('#pd_2', storage), keepToken('', storage)]).toEqual(['pd_2', 'pd_2']);
});
