import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether `token` is the one printed at install, of which the process knows only the hash (hex). Pure. */
export function isSetupToken(token: string, sha256: string | undefined): boolean {
  if (!sha256) return false;
  return timingSafeEqual(createHash('sha256').update(token).digest(), Buffer.from(sha256, 'hex'));
}
