import { join } from 'node:path';
import { createEquipment, type PlayedDevice } from '../equipment.ts';
import { originOf } from '../meters.ts';
import { readPark } from '../park.ts';
import { noTroubles, type Troubles } from '../troubles.ts';
import { createSiteClock } from './site-clock.ts';

export const demo = readPark(join(import.meta.dirname, '../../parks/demo.yaml'));
export const origin = originOf(demo.timezone);
export const clock = createSiteClock(origin);

/** Unix ms of a wall clock time of the demo site: `at('2026-11-23 14:30')`. */
export const at = (local: string): number => Date.parse(`${local.replace(' ', 'T')}+08:00`);

/** The demo park's equipment. */
export const play = (troubles: Troubles = noTroubles): ReadonlyMap<string, PlayedDevice> =>
  createEquipment({ equipment: demo.equipment, origin, seed: 7, troubles });

/** Reads one quantity of a device. */
export const reader =
  (devices: ReadonlyMap<string, Pick<PlayedDevice, 'quantities'>>) =>
  (device: string, quantity: string, t: number): number => {
    const read = devices.get(device)?.quantities.get(quantity);
    if (!read) throw new Error(`${device} has no ${quantity}`);
    return read(t);
  };

/** Instants from `from` on, `everyMs` apart. */
export const instants = (from: number, count: number, everyMs: number): number[] =>
  Array.from({ length: count }, (_, n) => from + n * everyMs);
