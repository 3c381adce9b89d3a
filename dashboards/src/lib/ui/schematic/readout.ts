import type { Freshness } from '#lib/state/reading.ts';

/** One value of a schematic. */
export interface Readout {
  /** Of the point; a click opens it. */
  readonly id: string;
  /** Name of the point. */
  readonly name: string;
  /** null when it may not be relied on: then nothing is drawn as if it were known. */
  readonly value: number | null;
  /** Value and unit, or the word of a state; an em dash when missing. */
  readonly text: string;
  readonly freshness: Freshness;
}

export interface SchematicProps {
  /** What the point with this template key reads; undefined for a device without it. */
  read(key: string): Readout | undefined;
  onopen(id: string): void;
}

/** Whether a state or a number is known to be on; undefined while nobody knows. */
export const isOn = (readout: Readout | undefined): boolean | undefined =>
  readout?.value == null ? undefined : readout.value > 0;
