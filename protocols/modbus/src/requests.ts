import { DriverError } from '@parkline/kit';
import type { ReadFunction } from './address.ts';

/** How the answer to a request looks after its function code, so that its end is known on a line that does not tell lengths. */
export type AnswerShape =
  /** A byte count, which must be this, and as many bytes. */
  | { readonly kind: 'exactly'; readonly bytes: number }
  /** A byte count and as many bytes. */
  | { readonly kind: 'counted' }
  /** These very bytes. */
  | { readonly kind: 'echo'; readonly bytes: Uint8Array }
  /** A list of identification objects, clause 6.21. */
  | { readonly kind: 'objects'; readonly level: number };

/** What is asked of a unit. */
export interface Request {
  readonly unit: number;
  readonly fc: number;
  /** What follows the function code. */
  readonly body: Uint8Array;
  readonly answer: AnswerShape;
}

/** A range of registers (coils). */
export interface ReadRange {
  readonly unit: number;
  readonly fc: ReadFunction;
  readonly start: number;
  readonly count: number;
}

/** Modbus application protocol, clauses 6.11 and 6.12. */
export const MAX_WRITTEN_REGISTERS = 123;
export const MAX_WRITTEN_COILS = 1_968;

/** Functions 1 to 4. */
export const readOf = ({ unit, fc, start, count }: ReadRange): Request => ({
  unit,
  fc,
  body: words(start, count),
  answer: { kind: 'exactly', bytes: fc <= 2 ? (count + 7) >> 3 : count * 2 },
});

/** Function 5. */
export const writeCoil = (unit: number, start: number, isOn: boolean): Request =>
  echoed(unit, 5, words(start, isOn ? 0xff00 : 0));

/** Function 6. @param bytes The register, two bytes. */
export const writeRegister = (unit: number, start: number, bytes: Uint8Array): Request =>
  echoed(unit, 6, joined(words(start), bytes));

/** Function 15. @throws DriverError 'config' for more than one request carries. */
export function writeCoils(unit: number, start: number, coils: readonly boolean[]): Request {
  assertFits(unit, start, coils.length, MAX_WRITTEN_COILS, 'coils');
  const bytes = new Uint8Array((coils.length + 7) >> 3);
  coils.forEach((isOn, at) => {
    if (isOn) bytes[at >> 3]! |= 1 << (at & 7);
  });
  return ranged(unit, 15, words(start, coils.length), bytes);
}

/** Function 16. @param bytes Whole registers. @throws DriverError 'config' for more than one request carries. */
export function writeRegisters(unit: number, start: number, bytes: Uint8Array): Request {
  assertFits(unit, start, bytes.length / 2, MAX_WRITTEN_REGISTERS, 'registers');
  return ranged(unit, 16, words(start, bytes.length / 2), bytes);
}

/** Function 22: the register becomes (itself AND `and`) OR (`or` AND NOT `and`). */
export const maskRegister = (unit: number, start: number, and: number, or: number): Request =>
  echoed(unit, 22, words(start, and, or));

/** Function 8, sub-function 0: the unit says `number` again. Serial lines only. */
export const echoRequest = (unit: number, number: number): Request => echoed(unit, 8, words(0, number));

/** Function 17: what the unit says it is. */
export const reportServerId = (unit: number): Request => ({
  unit,
  fc: 17,
  body: new Uint8Array(0),
  answer: { kind: 'counted' },
});

/** Function 43 / 14. @param level 1 basic, 2 regular, 3 extended objects. @param from First object. */
export const readIdentification = (unit: number, level: 1 | 2 | 3, from: number): Request => ({
  unit,
  fc: 43,
  body: Uint8Array.of(14, level, from),
  answer: { kind: 'objects', level },
});

const echoed = (unit: number, fc: number, body: Uint8Array): Request => ({
  unit,
  fc,
  body,
  answer: { kind: 'echo', bytes: body },
});

const ranged = (unit: number, fc: number, range: Uint8Array, bytes: Uint8Array): Request => ({
  unit,
  fc,
  body: joined(range, Uint8Array.of(bytes.length), bytes),
  answer: { kind: 'echo', bytes: range },
});

function assertFits(unit: number, start: number, count: number, most: number, what: string): void {
  if (count >= 1 && count <= most && start + count <= 0x1_0000) return;
  const why = `${count} ${what} from ${start} on: one request writes 1..${most} and none past 65535`;
  throw new DriverError('config', why, `modbus unit ${unit}`);
}

function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  for (let at = 0; at < values.length; at += 1) {
    bytes[2 * at] = values[at]! >> 8;
    bytes[2 * at + 1] = values[at]!;
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
