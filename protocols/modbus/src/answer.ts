import type { Request } from './requests.ts';

/** What the parser makes of the bytes so far. */
export type Parsed =
  /** What the answer carries: the bytes after a byte count, nothing after a write, the list of objects. */
  | { readonly kind: 'data'; readonly data: Uint8Array }
  /** The device's own refusal, Modbus application protocol clause 7. */
  | { readonly kind: 'exception'; readonly code: number }
  /** Not whole yet. */
  | { readonly kind: 'more' }
  /** No answer to this request can follow any more in this stream: it must be closed. */
  | { readonly kind: 'broken'; readonly why: string };

export const more: Parsed = { kind: 'more' };
export const broken = (why: string): Parsed => ({ kind: 'broken', why });

const OBJECTS_HEAD = 7;

/**
 * Bytes an answer takes from its function code (at `at`) on, as far as `bytes` tell: 0 when more of them are needed. A text says
 * why these bytes answer another request, or none.
 */
export function answerLength(bytes: Uint8Array, at: number, { fc, answer }: Request): number | string {
  const had = bytes.length - at;
  if (had < 1) return 0;
  const code = bytes[at]!;
  if (code === (fc | 0x80)) return 2;
  if (code !== fc) return `function ${code} answered ${fc}`;
  switch (answer.kind) {
    case 'exactly':
      if (had < 2) return 0;
      return bytes[at + 1] === answer.bytes
        ? 2 + answer.bytes
        : `${bytes[at + 1]} data bytes answered ${answer.bytes}`;
    case 'counted':
      return had < 2 ? 0 : 2 + bytes[at + 1]!;
    case 'echo':
      for (let n = 0; n < answer.bytes.length && n + 1 < had; n += 1)
        if (bytes[at + 1 + n] !== answer.bytes[n]) return `a write was answered with other words`;
      return 1 + answer.bytes.length;
    case 'objects':
      return objectsLength(bytes, at, answer.level);
  }
}

/** Clause 6.21: type, level, conformity, more follows, next object, number of objects; then id, length and bytes of each. */
function objectsLength(bytes: Uint8Array, at: number, level: number): number | string {
  const had = bytes.length - at;
  if (had >= 2 && bytes[at + 1] !== 14) return `interface ${bytes[at + 1]} answered 14`;
  if (had >= 3 && bytes[at + 2] !== level) return `level ${bytes[at + 2]} answered ${level}`;
  if (had < OBJECTS_HEAD) return 0;
  let end = OBJECTS_HEAD;
  for (let left = bytes[at + 6]!; left > 0; left -= 1) {
    if (had < end + 2) return 0;
    end += 2 + bytes[at + end + 1]!;
  }
  return end > 253 ? `an identification of ${end} bytes` : end;
}

/** The answer in `bytes` from `at` on, which is `length` long as {@link answerLength} found. */
export function answerOf(bytes: Uint8Array, at: number, length: number, { fc, answer }: Request): Parsed {
  if (bytes[at] !== fc) return { kind: 'exception', code: bytes[at + 1]! };
  if (answer.kind === 'echo') return { kind: 'data', data: new Uint8Array(0) };
  return { kind: 'data', data: bytes.slice(at + (answer.kind === 'objects' ? 1 : 2), at + length) };
}
