import type { Faults } from './faults.ts';
import type { Park } from './park.ts';
import type { ScenarioBook, ScenarioState } from './scenario-book.ts';
import type { Effect, Scenario } from './scenarios.ts';

/** Begins and ends scenarios on a running park. */
export interface ScenarioPlayer {
  /** In the order of their names; only those whose devices the park has. */
  list(): readonly ScenarioState[];
  /** @returns whether that changed anything, and the scenario. @throws Error for a name that is none here. */
  set(name: string, isOn: boolean): ScenarioState & { readonly changed: boolean };
}

export interface PlayerDeps {
  readonly park: Park;
  readonly book: ScenarioBook;
  readonly faults: Faults;
  readonly now: () => number;
}

/** Scenarios that were on in an earlier run go on. */
export function createScenarioPlayer({ park, book, faults, now }: PlayerDeps): ScenarioPlayer {
  const silences = new Map<string, readonly number[]>();
  const silence = ({ name, effects }: Scenario): void => {
    silences.set(
      name,
      effects.flatMap((effect) => silenceDevice(effect, park, faults)),
    );
  };
  const list = (): readonly ScenarioState[] => book.scenarios.map(({ name }) => book.state(name));
  for (const { scenario, since } of list()) if (since !== undefined) silence(scenario);

  return {
    list,
    set(name, isOn) {
      const changed = book.set(name, isOn, now());
      const state = book.state(name);
      if (changed && isOn) silence(state.scenario);
      if (changed && !isOn) for (const id of silences.get(name) ?? []) faults.clear({ id });
      return { ...state, changed };
    },
  };
}

/** @returns the number of the fault that keeps the device silent, in a list; an empty one for another effect. */
function silenceDevice({ kind, device }: Effect, { meters, equipment }: Park, faults: Faults): number[] {
  if (kind !== 'silent') return [];
  const fault = { kind: 'silence' } as const;
  const meter = meters.find(({ key }) => key === device);
  if (meter) return [faults.set({ bus: meter.bus, unit: meter.unit, fault })];
  const bus = equipment.find(({ key }) => key === device)?.bus;
  return bus === undefined ? [] : [faults.set({ bus, device, fault })];
}
