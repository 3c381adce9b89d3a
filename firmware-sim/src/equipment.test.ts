import { expect, test } from 'vitest';
import { createEquipment } from './equipment.ts';
import { demo, origin } from './models/testing.ts';
import type { Equipment } from './park.ts';
import { noTroubles } from './troubles.ts';

const make = (equipment: readonly Equipment[]) =>
  createEquipment({ equipment, origin, seed: 1, troubles: noTroubles });
/** The demo park with one device changed. */
const changed = (key: string, change: Partial<Equipment>): Equipment[] =>
  demo.equipment.map((device) => (device.key === key ? { ...device, ...change } : device));

test('every device of the demo park is played', () => {
  const played = make(demo.equipment);
  expect([...played.keys()]).toEqual(demo.equipment.map(({ key }) => key));
  for (const { quantities } of played.values()) expect(quantities.size).toBeGreaterThanOrEqual(4);
});

test('a park without equipment is played, too', () => {
  expect(make([]).size).toBe(0);
});

test.each([
  ['an unknown kind', 'leak-a-1', { kind: 'toaster' }, 'no model for a toaster (leak-a-1)'],
  ['a zone of no unit', 'vav-a-1', { model: { ahu: 'ahu-x', flow: 1, gain: 1 } }, 'there is no ahu ahu-x'],
  [
    'a plant of no unit',
    'chiller-a-1',
    { model: { ahus: ['x'], rated: 1, process: 1 } },
    'there is no ahu x',
  ],
  [
    'a plant without units',
    'chiller-a-1',
    { model: { rated: 1, process: 1 } },
    'model.ahus must be a list of texts',
  ],
  [
    'a gate without traffic',
    'gate-a-1',
    { model: { way: 'in' } },
    'gate-a-1: model.passes must be a number above zero',
  ],
  [
    'a gate of no way',
    'gate-a-1',
    { model: { passes: 9, way: 'up' } },
    'model.way must be one of in, out, both',
  ],
  [
    'floors upside down',
    'lift-a-1',
    { model: { floors: [2, 1], journeys: 1 } },
    'a list of rising whole numbers',
  ],
  ['a zone of nobody', 'vav-a-1', { model: {} }, 'vav-a-1: model.ahu must be a text, it is undefined'],
] as const)('%s is refused', (_what, key, change, why) => {
  expect(() => make(changed(key, change as Partial<Equipment>))).toThrow(why);
});

test('a unit that feeds no zone is refused', () => {
  const units = demo.equipment.filter(({ kind }) => kind === 'ahu');
  expect(() => make(units)).toThrow('equipment ahu-a-1: no vav names it as its ahu');
});
