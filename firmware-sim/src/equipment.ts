import { type Ahu, createAhu, supplySetpoint } from './models/ahu.ts';
import { type ChillerSetup, createChiller } from './models/chiller.ts';
import { createBoiler } from './models/boiler.ts';
import { createElevator } from './models/elevator.ts';
import { createFcu } from './models/fcu.ts';
import { createGate } from './models/gate.ts';
import { createLeakSensor } from './models/leak-sensor.ts';
import type { Load } from './models/load.ts';
import type { Quantities } from './models/quantities.ts';
import { createSampledLoads, type Machine } from './models/sampled-load.ts';
import { createSchedule } from './models/schedule.ts';
import { createSiteClock } from './models/site-clock.ts';
import { createZone } from './models/vav.ts';
import { createWeather } from './models/weather.ts';
import { createSettings } from './equipment-settings.ts';
import type { Equipment } from './park.ts';
import { noTroubles, type Span, type TroubleKind, type Troubles } from './troubles.ts';

/** A device as its model plays it. */
export interface PlayedDevice {
  readonly quantities: Quantities;
  /** What it draws from the meter in front of it; absent where nobody meters it. */
  readonly load?: Load;
}

export interface EquipmentDeps {
  readonly equipment: readonly Equipment[];
  /** Unix ms of the origin of the park's time. */
  readonly origin: number;
  readonly seed: number;
  readonly troubles: Troubles;
}

/** Every piece of equipment by key. @throws Error for a kind nobody modelled, or a setting its model cannot use. */
export function createEquipment(deps: EquipmentDeps): ReadonlyMap<string, PlayedDevice> {
  const air = createAir(deps);
  return new Map(
    deps.equipment.map((device) => [device.key, air.get(device.key) ?? createSingle(device, deps)]),
  );
}

/** Equipment that hangs together with no other. */
function createSingle(device: Equipment, { origin, seed, troubles }: EquipmentDeps): PlayedDevice {
  const { key, kind } = device;
  const clock = createSiteClock(origin);
  const settings = createSettings(device);
  if (kind === 'elevator')
    return createElevator({
      ...{ key, seed, clock, floors: settings.numbers('floors'), journeys: settings.number('journeys') },
      stopped: troubles(key, 'between-floors'),
    });
  if (kind === 'gate')
    return createGate({
      ...{ key, seed, clock, passes: settings.number('passes') },
      way: settings.oneOf('way', ['in', 'out', 'both']),
    });
  if (kind === 'leak-sensor')
    return createLeakSensor({ key, seed, clock, weather: createWeather(clock, seed) });
  if (kind === 'fcu')
    return createFcu({
      key,
      seed,
      clock,
      weather: createWeather(clock, seed),
      schedule: createSchedule(clock),
    });
  if (kind === 'boiler')
    return createBoiler({
      key,
      seed,
      clock,
      weather: createWeather(clock, seed),
      rated: settings.number('rated'),
    });
  throw new Error(`no model for a ${kind} (${key})`);
}

/** Air terminals, the units that feed them and the plant behind: one system, whose power is summed up together. */
function createAir(deps: EquipmentDeps): ReadonlyMap<string, PlayedDevice> {
  const actual = createAirSystem(deps);
  const healthy = createAirSystem({ ...deps, troubles: noTroubles });
  const machines = new Map<string, Machine>();
  for (const [key, { power }] of actual)
    if (power) machines.set(key, { actual: power, healthy: healthy.get(key)!.power! });
  const clock = createSiteClock(deps.origin);
  const loads = createSampledLoads(machines, clock, () => spansOf(deps));
  return new Map(
    [...actual].map(([key, { quantities }]) => {
      const load = loads.get(key);
      return [key, load ? { quantities, load } : { quantities }];
    }),
  );
}

const airTroubles: readonly TroubleKind[] = ['fan-fails', 'valve-jams'];

function spansOf({ equipment, troubles }: EquipmentDeps): Span[] {
  const units = equipment.filter(({ kind }) => kind === 'ahu');
  return units.flatMap(({ key }) => airTroubles.flatMap((kind) => troubles(key, kind).spans()));
}

interface AirDevice {
  readonly quantities: Quantities;
  /** kW; an air terminal draws none worth metering. */
  readonly power?: (t: number) => number;
}

function createAirSystem({ equipment, origin, seed, troubles }: EquipmentDeps): Map<string, AirDevice> {
  const clock = createSiteClock(origin);
  const weather = createWeather(clock, seed);
  const shared = { seed, clock, weather, schedule: createSchedule(clock) };
  const supplyTemperature = (t: number): number => supplySetpoint(weather.outdoor(t));
  const of = (kind: string): Equipment[] => equipment.filter((device) => device.kind === kind);

  const made = new Map<string, AirDevice>();
  const ahus = new Map<string, Ahu>();
  for (const unit of of('ahu')) {
    const fan = troubles(unit.key, 'fan-fails');
    const zones = of('vav')
      .filter((box) => createSettings(box).text('ahu') === unit.key)
      .map((box) => {
        const settings = createSettings(box);
        const size = { flow: settings.number('flow'), gain: settings.number('gain') };
        const zone = createZone({ ...shared, ...size, key: box.key, supplyTemperature, fan });
        made.set(box.key, zone);
        return zone;
      });
    if (zones.length === 0) throw new Error(`equipment ${unit.key}: no vav names it as its ahu`);
    const flow = createSettings(unit).number('flow');
    const valve = troubles(unit.key, 'valve-jams');
    const ahu = createAhu({ ...shared, key: unit.key, flow, zones, fan, valve });
    ahus.set(unit.key, ahu);
    made.set(unit.key, { ...ahu, power: (t) => ahu.state(t).fanPower });
  }
  for (const box of of('vav'))
    if (!made.has(box.key))
      throw new Error(`equipment ${box.key}: there is no ahu ${createSettings(box).text('ahu')}`);
  for (const plant of of('chiller')) made.set(plant.key, createPlant(plant, shared, ahus));
  return made;
}

function createPlant(
  plant: Equipment,
  shared: Pick<ChillerSetup, 'seed' | 'clock' | 'weather'>,
  units: ReadonlyMap<string, Ahu>,
): AirDevice {
  const settings = createSettings(plant);
  const ahus = settings.texts('ahus').map((key) => {
    const ahu = units.get(key);
    if (!ahu) throw new Error(`equipment ${plant.key}: there is no ahu ${key}`);
    return ahu;
  });
  const size = { rated: settings.number('rated'), process: settings.number('process') };
  const chiller = createChiller({ ...shared, ...size, key: plant.key, ahus });
  return { ...chiller, power: (t) => chiller.state(t).power };
}
