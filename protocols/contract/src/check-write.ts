import type { PointKind, Unit } from './units.ts';
import type { WriteLimits } from './write-limits.ts';

/** What must be known of a point to say whether a value may be written to it. */
export interface WritablePoint {
  readonly kind: PointKind;
  readonly unit: Unit;
  /** Absent: read only. */
  readonly write?: WriteLimits;
}

export interface WriteWish {
  /** Engineering value; null gives the point back. */
  readonly value: number | null;
  /** Give it back after this time, seconds; absent: after what the limits say. */
  readonly holdS?: number;
}

/** Why a value may not be written. */
export type WriteFault = 'read-only' | 'register' | 'range' | 'step' | 'state' | 'hold' | 'release';

export type WriteCheck =
  | { readonly ok: true; readonly limits: WriteLimits }
  | { readonly ok: false; readonly code: WriteFault; readonly message: string };

/** Share of a step by which a value may miss it: binary fractions, not another value. */
const STEP_TOLERANCE = 1e-6;

/**
 * Whether a value may be written to a point at all: declared, in range, on a step, a whole number for a state, held no longer
 * than allowed. `hasPriorities`: the protocol can take a value back by itself (BACnet). Pure; the same for whoever writes.
 */
export function checkWrite(
  { kind, unit, write }: WritablePoint,
  { value, holdS }: WriteWish,
  hasPriorities: boolean,
): WriteCheck {
  if (!write) return no('read-only', 'the point is not declared writable');
  if (kind === 'register') return no('register', 'a register counts and is never written');
  if (holdS !== undefined && holdS > write.holdS)
    return no('hold', `${holdS} s is longer than the point may be held, ${write.holdS} s`);
  if (value === null) {
    return hasPriorities || write.release !== undefined
      ? { ok: true, limits: write }
      : no('release', 'nothing says which value gives the point back');
  }
  const { min, max, step } = write;
  if (!Number.isFinite(value) || value < min || value > max)
    return no('range', `${value} is outside what may be written, ${min} to ${max}${words(unit)}`);
  if (step !== undefined && missesStep(value, min, step))
    return no('step', `${value} is not ${min} plus a whole number of ${step}${words(unit)}`);
  if (kind === 'state' && !Number.isInteger(value)) return no('state', `${value} is no state`);
  return { ok: true, limits: write };
}

const no = (code: WriteFault, message: string): WriteCheck => ({ ok: false, code, message });

const words = (unit: Unit): string => (unit === '1' ? '' : ` ${unit}`);

function missesStep(value: number, min: number, step: number): boolean {
  const steps = (value - min) / step;
  return Math.abs(steps - Math.round(steps)) > STEP_TOLERANCE;
}
