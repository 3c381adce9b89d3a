/** Something in the input that a person has to put right before there can be a bill. */
export interface Fault {
  readonly source: 'scenario' | 'readings';
  /** JSON path in the scenario, or column of the readings. */
  readonly field?: string;
  /** Line of the readings file; its header is line 1. */
  readonly row?: number;
  readonly message: string;
}

/** Both answers of a step that may refuse its input: all faults are reported together, never only the first. */
export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: readonly Fault[] };
