import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseJson } from './json.ts';
import { recordRun } from './record.ts';
import { simulate } from './simulate.ts';

const folder = new URL('../../../tests/fixtures/billing-2026-10/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder));
/** What the golden month comes to, as computed by other means. */
export const golden = (
  JSON.parse(read('expected.json').toString()) as Record<
    string,
    {
      supply: Record<string, string>;
      statements: Record<string, Record<string, string>>;
      direct_lines: Record<string, [string, string, string]>;
    }
  >
)['run2_meter4_new_multiplier_20']!;

const simulated = simulate({
  scenario: parseJson(read('scenario.json').toString()),
  readings: gunzipSync(read('readings.csv.gz')).toString(),
  multipliers: new Map(),
});
if (!simulated.ok) throw new Error('the golden month has faults');

/** The golden month as it is kept. */
export const goldenRecord = recordRun(simulated.value);
