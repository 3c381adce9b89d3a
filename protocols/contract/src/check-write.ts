import type { LocalName } from './api/common.ts';
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
  | { readonly ok: false; readonly code: WriteFault; readonly message: LocalName };

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
  if (!write) return no('read-only', faults.readOnly);
  if (kind === 'register') return no('register', faults.register);
  if (holdS !== undefined && holdS > write.holdS) return no('hold', faults.hold(holdS, write.holdS));
  if (value === null) {
    return hasPriorities || write.release !== undefined
      ? { ok: true, limits: write }
      : no('release', faults.release);
  }
  const { min, max, step } = write;
  if (!Number.isFinite(value) || value < min || value > max)
    return no('range', faults.range(value, write, unit));
  if (step !== undefined && missesStep(value, min, step))
    return no('step', faults.step(value, { min, step }, unit));
  if (kind === 'state' && !Number.isInteger(value)) return no('state', faults.state(value));
  return { ok: true, limits: write };
}

const no = (code: WriteFault, message: LocalName): WriteCheck => ({ ok: false, code, message });

const words = (unit: Unit): string => (unit === '1' ? '' : ` ${unit}`);

const faults = {
  readOnly: { en: 'the point is not declared writable', zh: '该点位未声明为可写' },
  register: { en: 'a register counts and is never written', zh: '累计值只计数，不可写入' },
  hold: (seconds: number, most: number) => ({
    en: `${seconds} s is longer than the point may be held, ${most} s`,
    zh: `${seconds} 秒超过该点位允许的保持时间 ${most} 秒`,
  }),
  release: { en: 'nothing says which value gives the point back', zh: '未规定以何值交还该点位' },
  range: (value: number, { min, max }: { min: number; max: number }, unit: Unit) => ({
    en: `${value} is outside what may be written, ${min} to ${max}${words(unit)}`,
    zh: `${value} 超出允许写入的范围 ${min} 至 ${max}${words(unit)}`,
  }),
  step: (value: number, { min, step }: { min: number; step: number }, unit: Unit) => ({
    en: `${value} is not ${min} plus a whole number of ${step}${words(unit)}`,
    zh: `${value} 不是 ${min} 加上 ${step}${words(unit)} 的整数倍`,
  }),
  state: (value: number) => ({ en: `${value} is no state`, zh: `${value} 不是有效状态` }),
};

function missesStep(value: number, min: number, step: number): boolean {
  const steps = (value - min) / step;
  return Math.abs(steps - Math.round(steps)) > STEP_TOLERANCE;
}
