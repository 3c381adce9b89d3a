import type { Quantities } from './models/quantities.ts';
import type { ScenarioBook } from './scenario-book.ts';
import type { Effect } from './scenarios.ts';
import type { Trouble } from './troubles.ts';

type Read = (t: number) => number;

/** Time constants with which a drifting value leaves and comes back, ms. */
const DRIFT = { away: 90_000, back: 180_000 } as const;

/**
 * What a device shows of its quantities while scenarios are on. Only its display is touched: no other device knows.
 * @throws Error when a scenario names a quantity that the device does not have.
 */
export function shown(device: string, quantities: Quantities, book: ScenarioBook): Quantities {
  const made = new Map(quantities);
  const replace = (quantity: string, by: (read: Read) => Read): void => {
    const read = made.get(quantity);
    if (!read) throw new Error(`scenario for ${device}: it has no quantity ${quantity}`);
    made.set(quantity, by(read));
  };
  for (const { name, effects } of book.scenarios)
    for (const effect of effects) if (effect.device === device) overlay(effect, book.trouble(name), replace);
  return made;
}

function overlay(
  effect: Effect,
  trouble: Trouble,
  replace: (quantity: string, by: (read: Read) => Read) => void,
): void {
  if (effect.kind === 'frozen') replace(effect.quantity, (read) => (t) => read(trouble.since(t) ?? t));
  if (effect.kind === 'replaced') replace(effect.quantity, (read) => anew(read, effect.register, trouble));
  if (effect.kind !== 'shows') return;
  for (const [quantity, value] of Object.entries(effect.values ?? {}))
    replace(quantity, (read) => (t) => (trouble.since(t) === undefined ? read(t) : value));
  for (const [quantity, value] of Object.entries(effect.drift ?? {}))
    replace(quantity, (read) => (t) => {
      const level = trouble.level(t, DRIFT.away, DRIFT.back);
      return read(t) + (value - read(t)) * level;
    });
}

/** The register of the meter that came last: it counts from `register` on since it was put in. */
function anew(read: Read, register: number, trouble: Trouble): Read {
  return (t) => {
    const since = trouble.spans().findLast(([from]) => from <= t)?.[0];
    return since === undefined ? read(t) : register + (read(t) - read(since));
  };
}
