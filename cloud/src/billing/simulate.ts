import type { Checked, Decimal, Fault } from '../metering/index.ts';
import { checkScenario, isScenario } from './check-scenario.ts';
import { scenarioFault } from './faults.ts';
import type { Json } from './json.ts';
import { readReadings, type ReadingsByMeter } from './read-readings.ts';
import { readScenario, type ScenarioParts } from './read-scenario.ts';
import { type BillingRun, runBilling } from './run.ts';
import type { Scenario } from './scenario.ts';

export interface SimulationInput {
  /** The parsed scenario file; undefined when it could not be read, so that the readings are still checked. */
  readonly scenario: Json | undefined;
  /** Text of the readings file; undefined likewise. */
  readonly readings: string | undefined;
  /** Multipliers to use instead, by meter. */
  readonly multipliers: ReadonlyMap<string, Decimal>;
}

export interface Simulation {
  readonly scenario: Scenario;
  readonly readings: ReadingsByMeter;
  readonly run: BillingRun;
}

/** Bills a scenario from its files' content, or tells every fault found in them. Pure. */
export function simulate({
  scenario: json,
  readings: csv,
  multipliers,
}: SimulationInput): Checked<Simulation> {
  const faults: Fault[] = [];
  const read = json === undefined ? undefined : readScenario(json);
  const parts = read?.parts && override(read.parts, multipliers);
  if (read) faults.push(...read.faults);
  if (parts) faults.push(...checkScenario(parts), ...checkOverrides(parts, multipliers));
  const table = csv === undefined ? undefined : readReadings(csv, parts);
  if (table) faults.push(...table.faults);
  if (faults.length > 0 || !parts || !table || !isScenario(parts)) return { ok: false, faults };
  const run = runBilling(parts, table.readings);
  if (!run.ok) return run;
  return { ok: true, value: { scenario: parts, readings: table.readings, run: run.value } };
}

function override<T extends { readonly installations: Scenario['installations'] | undefined }>(
  parts: T,
  multipliers: ReadonlyMap<string, Decimal>,
): T {
  const installations = parts.installations?.map((item) => ({
    ...item,
    multiplier: multipliers.get(item.meter) ?? item.multiplier,
  }));
  return { ...parts, installations };
}

function checkOverrides(
  { installations }: ScenarioParts,
  multipliers: ReadonlyMap<string, Decimal>,
): Fault[] {
  return [...multipliers.keys()]
    .filter((meter) => installations?.every((item) => item.meter !== meter))
    .map((meter) => scenarioFault('installations', `--multiplier: no installation of meter ${meter}`));
}
