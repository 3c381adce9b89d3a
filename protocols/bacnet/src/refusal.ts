/** What a device says in place of an answer. Clauses 18 (errors), 20.1.8 (reject) and 20.1.9 (abort). */
export class Refusal extends Error {
  readonly kind: 'error' | 'reject' | 'abort';
  /** Reason of a reject or abort, code of an error. */
  readonly code: number;

  constructor(kind: Refusal['kind'], code: number, errorClass?: number) {
    super(wordsFor(kind, code, errorClass));
    this.name = 'Refusal';
    this.kind = kind;
    this.code = code;
  }
}

const errorCodes: Readonly<Record<number, string>> = {
  2: 'configuration in progress',
  3: 'device busy',
  9: 'invalid data type',
  25: 'operational problem',
  26: 'password failure',
  27: 'read access denied',
  29: 'service request denied',
  31: 'unknown object',
  32: 'unknown property',
  37: 'value out of range',
  40: 'write access denied',
  42: 'invalid array index',
  43: 'COV subscription failed',
  44: 'not a COV property',
  45: 'optional functionality not supported',
  50: 'property is not an array',
  71: 'log buffer full',
  79: 'unknown subscription',
  80: 'parameter out of range',
  81: 'list element not found',
};
const rejectReasons: Readonly<Record<number, string>> = {
  1: 'buffer overflow',
  4: 'invalid tag',
  5: 'missing required parameter',
  9: 'unrecognized service',
};
const abortReasons: Readonly<Record<number, string>> = {
  1: 'buffer overflow',
  2: 'invalid APDU in this state',
  3: 'preempted by higher priority task',
  4: 'segmentation not supported',
  9: 'out of resources',
  11: 'APDU too long',
};

/** The words of the standard for an error code. */
export const errorWords = (code: number, errorClass?: number): string =>
  errorCodes[code] ?? (errorClass === undefined ? `error ${code}` : `error ${errorClass}/${code}`);

function wordsFor(kind: Refusal['kind'], code: number, errorClass: number | undefined): string {
  if (kind === 'error') return errorWords(code, errorClass);
  return kind === 'reject'
    ? `rejected: ${rejectReasons[code] ?? `reason ${code}`}`
    : `aborted: ${abortReasons[code] ?? `reason ${code}`}`;
}

/** The answer, or the question, is too long for the device: a shorter one may do. */
export const isTooLong = ({ kind, code }: Refusal): boolean =>
  kind === 'abort' ? [1, 4, 9, 11].includes(code) : kind === 'reject' && code === 1;

/** The device does not know the service at all. */
export const isUnknownService = ({ kind, code }: Refusal): boolean => kind === 'reject' && code === 9;
