import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

/** What every authenticator app understands: SHA-1, six digits, 30 s (RFC 6238). */
const SHAPE = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
const STEP_MS = SHAPE.period * 1_000;

/** 160 bits, as RFC 4226 section 4 recommends. */
export const newTotpSecret = (): Buffer => randomBytes(20);

export interface TotpEnrolment {
  /** Base32, for who types it. */
  readonly secret: string;
  /** `otpauth://totp/...`, for the QR code. */
  readonly uri: string;
}

export function totpEnrolment(secret: Buffer, issuer: string, login: string): TotpEnrolment {
  const totp = totpOf(secret, issuer, login);
  return { secret: totp.secret.base32, uri: totp.toString() };
}

/**
 * The time step (Unix time / 30 s) whose code this is, at most one step away from `at`: clocks of phones differ.
 * Undefined: no such step, or one that is not after `lastStep`, for a code that was used is worth nothing to who saw it. Pure.
 */
export function totpStep(
  secret: Buffer,
  code: string,
  at: Date,
  lastStep: number | null,
): number | undefined {
  const delta = totpOf(secret).validate({ token: code, timestamp: at.getTime(), window: 1 });
  if (delta === null) return undefined;
  const step = Math.floor(at.getTime() / STEP_MS) + delta;
  return lastStep !== null && step <= lastStep ? undefined : step;
}

function totpOf(secret: Buffer, issuer = '', label = ''): TOTP {
  // A copy of its own buffer: Node shares one among small buffers.
  return new TOTP({
    ...SHAPE,
    issuer,
    label,
    secret: new Secret({ buffer: Uint8Array.from(secret).buffer }),
  });
}

/** Ten, each good once. */
const RECOVERY_CODES = 10;
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'; // Nothing that is read as something else; 31^16 is 79 bits.

/** `xxxx-xxxx-xxxx-xxxx`, ten of them. */
export const newRecoveryCodes = (): string[] =>
  Array.from({ length: RECOVERY_CODES }, () => {
    const chars = Array.from({ length: 16 }, () => ALPHABET[randomIndex()]).join('');
    return chars.match(/.{4}/g)?.join('-') ?? chars;
  });

/** A byte that would favour the first letters is thrown again. */
function randomIndex(): number {
  const limit = 256 - (256 % ALPHABET.length);
  let byte: number;
  do byte = randomBytes(1)[0] ?? 255;
  while (byte >= limit);
  return byte % ALPHABET.length;
}

/** However it was typed: capitals, blanks and dashes do not count. SHA-256: 79 random bits need no slow hash. */
export const recoveryCodeHash = (code: string): Buffer =>
  createHash('sha256')
    .update(code.toLowerCase().replace(/[^a-z0-9]/g, ''))
    .digest();
