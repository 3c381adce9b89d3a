import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Scenario } from './scenarios.ts';
import { createTrouble, joined, type Span, type Trouble, type Troubles } from './troubles.ts';

/** What is told of a scenario. */
export interface ScenarioState {
  readonly scenario: Scenario;
  /** Unix ms; undefined while it is not on. */
  readonly since: number | undefined;
}

/** Which scenario was on when. Everything that scenarios do follows from these times, also after a restart. */
export interface ScenarioBook {
  readonly scenarios: readonly Scenario[];
  state(name: string): ScenarioState;
  /** @returns whether that changed anything. @throws Error for a name that is none. */
  set(name: string, isOn: boolean, now: number): boolean;
  trouble(name: string): Trouble;
  readonly troubles: Troubles;
}

export interface BookDeps {
  readonly scenarios: readonly Scenario[];
  /** Keeps the times; nothing outlives the process without. */
  readonly file?: string;
}

/** @throws Error when the file of an earlier run cannot be read. */
export function createScenarioBook({ scenarios, file }: BookDeps): ScenarioBook {
  const times = new Map<string, Span[]>(file && existsSync(file) ? readTimes(file) : []);
  const spansOf = (name: string): Span[] => times.get(name) ?? [];
  const find = (name: string): Scenario => {
    const found = scenarios.find((scenario) => scenario.name === name);
    if (found) return found;
    throw new Error(`no scenario ${name}; there are ${scenarios.map((each) => each.name).join(', ')}`);
  };
  const last = (name: string): Span | undefined => spansOf(name).at(-1);
  const isOn = (name: string): boolean => last(name)?.[1] === Infinity;

  return {
    scenarios,
    state: (name) => ({ scenario: find(name), since: isOn(name) ? last(name)![0] : undefined }),
    set(name, wanted, now) {
      find(name);
      if (wanted === isOn(name)) return false;
      const before = spansOf(name);
      // A clock that was set back must not make a span end before it began, nor two overlap.
      const at = Math.max(now, ...before.flat().filter(Number.isFinite));
      times.set(
        name,
        wanted ? [...before, [at, Infinity]] : [...before.slice(0, -1), [before.at(-1)![0], at]],
      );
      if (file) writeTimes(file, times);
      return true;
    },
    trouble: (name) => createTrouble(() => spansOf(name)),
    troubles(device, kind) {
      const names = scenarios
        .filter(({ effects }) =>
          effects.some(
            (effect) => effect.kind === 'trouble' && effect.device === device && effect.trouble === kind,
          ),
        )
        .map(({ name }) => name);
      return createTrouble(() => (names.length === 1 ? spansOf(names[0]!) : joined(names.flatMap(spansOf))));
    },
  };
}

/** In the file null stands for "until now". */
type Kept = Record<string, [from: number, to: number | null][]>;

function readTimes(file: string): [string, Span[]][] {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept;
    return Object.entries(kept).map(([name, spans]) => [
      name,
      spans.map(([from, to]) => [from, to ?? Infinity]),
    ]);
  } catch (cause) {
    throw new Error(`${file} cannot be read; remove it to begin without scenarios`, { cause });
  }
}

function writeTimes(file: string, times: ReadonlyMap<string, readonly Span[]>): void {
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(Object.fromEntries(times))}\n`); // JSON writes Infinity as null.
  renameSync(draft, file);
}
