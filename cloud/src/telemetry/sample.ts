/** Bits of `reading.flags`. */
export const flag = {
  /** The read began within 10 s after a quarter hour (UTC): the value stands for it. */
  boundary: 1,
  /** The clock that stamped it was in doubt. */
  suspect: 2,
  /** Made by the simulator's model, not measured. */
  simulated: 4,
  /** Came from a file, not from a gateway. */
  imported: 8,
} as const;

/** Rows of the reading table as parallel columns; `length` of them are in use. Built per message, written as they are. */
export interface Rows {
  readonly length: number;
  /** point.num */
  readonly num: Int32Array;
  /** Unix ms. */
  readonly at: Float64Array;
  /** Engineering value of a gauge, whole counts of a register; NaN stands for null. */
  readonly value: Float64Array;
  /** 0 good, 1 uncertain, 2 bad. */
  readonly quality: Uint8Array;
  readonly flags: Uint8Array;
}

export const createRows = (length: number): Rows => ({
  length,
  num: new Int32Array(length),
  at: new Float64Array(length),
  value: new Float64Array(length),
  quality: new Uint8Array(length),
  flags: new Uint8Array(length),
});

/** Counts times resolution without the noise of binary fractions: 1234567 x 0.01 is 12345.67, not 12345.670000000002. */
export const engineering = (counts: number | null, resolution: number): number | null =>
  counts === null || resolution === 1 ? counts : Number((counts * resolution).toPrecision(15));

/** Display digits as whole counts of the resolution, or undefined when the register cannot show such a value exactly. */
export function toCounts(shown: number, resolution: number): number | undefined {
  const counts = Number((shown / resolution).toPrecision(15));
  const whole = Math.round(counts);
  return Math.abs(counts - whole) < 1e-6 && Number.isSafeInteger(whole) ? whole : undefined;
}

/**
 * Counts used between two readings of a register, null when it ran backwards. A counter that was in the last tenth of its
 * digits and is now in the first rolled over.
 */
export function registerUse(start: number, end: number): number | null {
  if (end >= start) return end - start;
  const modulus = 10 ** String(Math.trunc(start)).length;
  return start >= modulus * 0.9 && end >= 0 && end < modulus * 0.1 ? end + modulus - start : null;
}
