import type { Faults } from './faults.ts';
import type { Park } from './park.ts';
import type { ScenarioBook, ScenarioState } from './scenario-book.ts';
import type { Effect, Scenario } from './scenarios.ts';

/** Begins and ends scenarios on a running park. */
export interface ScenarioPlayer {
  /** In the order of their names; only those whose devices the park has. */
  list(): readonly ScenarioState[];
  /** @returns whether that changed anything, and the scenario. Rejects for a name that is none here. */
  set(name: string, isOn: boolean): Promise<ScenarioState & { readonly changed: boolean }>;
  /** Does again what a bus that has just begun to listen does not know: who is silent, who is gone. */
  resume(): Promise<void>;
}

/** Takes a device off its bus, and puts it back. */
export type SetPresence = (bus: string, device: string, isThere: boolean) => Promise<void>;

export interface PlayerDeps {
  readonly park: Park;
  readonly book: ScenarioBook;
  readonly faults: Faults;
  readonly setPresence: SetPresence;
  readonly now: () => number;
}

export function createScenarioPlayer(deps: PlayerDeps): ScenarioPlayer {
  const { book, faults, now } = deps;
  const silences = new Map<string, readonly number[]>();
  const list = (): readonly ScenarioState[] => book.scenarios.map(({ name }) => book.state(name));
  const end = (name: string): void => {
    for (const id of silences.get(name) ?? []) faults.clear({ id });
    silences.delete(name);
  };
  const play = async ({ name, effects }: Scenario, isOn: boolean): Promise<void> => {
    end(name);
    if (isOn)
      silences.set(
        name,
        effects.flatMap((effect) => silenceDevice(effect, deps)),
      );
    for (const effect of effects) await moveDevice(effect, !isOn, deps);
  };

  return {
    list,
    async set(name, isOn) {
      const changed = book.set(name, isOn, now());
      const state = book.state(name);
      if (changed) await play(state.scenario, isOn);
      return { ...state, changed };
    },
    async resume() {
      for (const { scenario, since } of list()) if (since !== undefined) await play(scenario, true);
    },
  };
}

const busOf = (device: string, { park }: PlayerDeps): string | undefined =>
  park.equipment.find(({ key }) => key === device)?.bus;

/** @returns the number of the fault that keeps the device silent, in a list; an empty one for another effect. */
function silenceDevice({ kind, device }: Effect, deps: PlayerDeps): number[] {
  if (kind !== 'silent') return [];
  const fault = { kind: 'silence' } as const;
  const meter = deps.park.meters.find(({ key }) => key === device);
  if (meter?.unit !== undefined) return [deps.faults.set({ bus: meter.bus, unit: meter.unit, fault })];
  const bus = meter?.bus ?? busOf(device, deps);
  return bus === undefined ? [] : [deps.faults.set({ bus, device, fault })];
}

async function moveDevice({ kind, device }: Effect, isThere: boolean, deps: PlayerDeps): Promise<void> {
  const bus = kind === 'offline' ? busOf(device, deps) : undefined;
  if (bus !== undefined) await deps.setPresence(bus, device, isThere);
}
