import { createEquipment, type PlayedDevice } from './equipment.ts';
import { createSeriesLoad, createSumLoad, type Load } from './models/load.ts';
import { seedOf } from './models/noise.ts';
import { createQuantities, type Quantities } from './models/quantities.ts';
import type { HourlyData } from './models/hourly-data.ts';
import type { LoadRecipe, Meter, Park } from './park.ts';
import { noTroubles, type Troubles } from './troubles.ts';

/** First hour of the source's data, read as wall clock of the site. */
const FIRST_DAY = '2021-01-01T00:00:00Z';

/**
 * Every meter's quantities by meter key.
 * @param played The park's equipment, whose motors the meters measure.
 * @throws Error for an unknown column or kind, a sum that contains itself, or equipment that draws nothing.
 */
export function createMeters(
  park: Park,
  data: HourlyData,
  seed: number,
  played = playEquipment(park, seed),
): Map<string, Quantities> {
  const loadOf = createLoads(park, data, seed, played);
  return new Map(
    park.meters.map((meter) => [
      meter.key,
      createQuantities({
        key: meter.key,
        kind: meter.kind,
        start: meter.start,
        load: loadOf(meter, []),
        seed: seedOf(park.key, seed),
      }),
    ]),
  );
}

/** What flows through a meter; `above` names the meters that it was reached through. */
type LoadOf = (meter: Meter, above: readonly string[]) => Load;

function createLoads(
  park: Park,
  data: HourlyData,
  seed: number,
  played: ReadonlyMap<string, PlayedDevice>,
): LoadOf {
  const parkSeed = seedOf(park.key, seed);
  const origin = originOf(park.timezone);
  const loads = new Map<string, Load>();

  const loadOf: LoadOf = (meter, above) => {
    if (above.includes(meter.key)) throw new Error(`meter ${meter.key} sums itself: ${above.join(' > ')}`);
    const known = loads.get(meter.key);
    if (known) return known;
    const { load } = meter;
    const behind = (keys: readonly string[]): Load[] =>
      keys.map((key) =>
        loadOf(
          park.meters.find((m) => m.key === key)!,
          [...above, meter.key],
        ),
      );
    const own = (recipe: Exclude<LoadRecipe, { sum: unknown }>): Load =>
      createSeriesLoad(scaled(data, meter.key, recipe), seedOf(parkSeed, meter.key), { origin });
    const made =
      'sum' in load
        ? createSumLoad(behind(load.sum), load.times)
        : createSumLoad(
            [own(load), ...behind(load.plus ?? []), ...motorsOf(meter.key, load.equipment ?? [], played)],
            1,
          );
    loads.set(meter.key, made);
    return made;
  };
  return loadOf;
}

/** Every piece of the park's equipment by key, as its model plays it. */
export function playEquipment(
  { key, timezone, equipment }: Park,
  seed: number,
  troubles: Troubles = noTroubles,
): ReadonlyMap<string, PlayedDevice> {
  return createEquipment({ equipment, origin: originOf(timezone), seed: seedOf(key, seed), troubles });
}

function motorsOf(
  meter: string,
  equipment: readonly string[],
  played: ReadonlyMap<string, PlayedDevice>,
): Load[] {
  return equipment.map((key) => {
    const load = played.get(key)?.load;
    if (!load) throw new Error(`meter ${meter}: ${key} draws nothing that could be metered`);
    return load;
  });
}

function scaled(
  data: HourlyData,
  meter: string,
  load: { column: string; times: number; above?: number },
): Float64Array {
  const column = data.get(load.column);
  if (!column)
    throw new Error(`meter ${meter}: no column ${load.column}; there are ${[...data.keys()].join(', ')}`);
  return column.map((value) => Math.max(0, value - (load.above ?? 0)) * load.times);
}

/** Unix ms of the first day's midnight in the zone. Its offset of that day holds for ever, so the register knows no summer time. */
export function originOf(timezone: string): number {
  const utc = Date.parse(FIRST_DAY);
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    timeZoneName: 'longOffset',
  }).formatToParts(utc);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  const [, sign, hours, minutes] = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(name) ?? [];
  if (!sign) return utc;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '+' ? utc - offset : utc + offset;
}
