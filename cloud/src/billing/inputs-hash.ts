import { createHash } from 'node:crypto';
import { type Decimal, formatUnits } from '../metering/index.ts';

/** Everything that a run is computed from. */
export interface RunInputs {
  /** Texts of both files as they were read. */
  readonly scenario: string;
  readonly readings: string;
  readonly multipliers: ReadonlyMap<string, Decimal>;
}

/** Names a run: SHA-256 in hex over its inputs. The same inputs give the same run, so the same name. */
export function hashInputs({ scenario, readings, multipliers }: RunInputs): string {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const changed = [...multipliers]
    .map(([meter, { units, scale }]) => [meter, formatUnits(units, scale, 0)])
    .sort(([a], [b]) => (a! < b! ? -1 : 1));
  return sha256(JSON.stringify([sha256(scenario), sha256(readings), changed]));
}
