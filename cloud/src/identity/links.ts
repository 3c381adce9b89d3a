import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '../platform/errors.ts';

/** A secret for a link, 256 random bits; only its hash is kept. */
export const newLinkToken = (): string => randomBytes(32).toString('base64url');

export const linkHash = (token: string): Buffer => createHash('sha256').update(token).digest();

/** A page of the portal with a secret behind the #, which a browser sends to no server: no log and no proxy sees it. */
export const linkTo = (publicUrl: string, page: 'invitation' | 'reset', token: string): string =>
  `${publicUrl.replace(/\/$/, '')}/${page}#${token}`;

/** Why a link lets nobody in. */
export type LinkFault = 'unknown' | 'expired' | 'used' | 'revoked';

/** @throws AppError 'link_refused' with `why`. */
export function refuseLink(why: LinkFault): never {
  throw new AppError('link_refused', `link is ${why}`, { details: { why } });
}
