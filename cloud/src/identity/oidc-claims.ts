/** What a provider says of somebody (OpenID Connect Core 1.0 clauses 2 and 5.1). */
export interface Claims {
  readonly sub: string;
  readonly email?: unknown;
  readonly email_verified?: unknown;
  readonly name?: unknown;
  readonly amr?: unknown;
  readonly acr?: unknown;
}

/** The mail address that the provider vouches for; undefined where it does not say so in so many words. Pure. */
export const verifiedEmail = ({ email, email_verified: isVerified }: Claims): string | undefined =>
  isVerified === true && typeof email === 'string' && email.includes('@') ? email : undefined;

/** What to call somebody who comes for the first time. Pure. */
export const nameOf = ({ name }: Claims, email: string): string =>
  typeof name === 'string' && name.trim() ? name.trim().slice(0, 200) : email;

/**
 * Whether a second factor was given at a provider that is trusted with it: `amr` says mfa (RFC 8176), or `acr` is one of
 * those that the account named. Pure.
 */
export function gaveSecondFactor(
  { amr, acr }: Claims,
  trust: { readonly trustSecondFactor: boolean; readonly secondFactorAcr: readonly string[] },
): boolean {
  if (!trust.trustSecondFactor) return false;
  return (
    (Array.isArray(amr) && amr.includes('mfa')) ||
    (typeof acr === 'string' && trust.secondFactorAcr.includes(acr))
  );
}
