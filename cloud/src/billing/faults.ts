import type { Fault } from '../metering/index.ts';

export function scenarioFault(field: string, message: string): Fault {
  return { source: 'scenario', field, message };
}

interface Stretch {
  /** Unix ms; `to` is exclusive, null without an end. */
  readonly from: number;
  readonly to: number | null;
}

export function overlap(a: Stretch, b: Stretch): boolean {
  return a.from < (b.to ?? Infinity) && b.from < (a.to ?? Infinity);
}
