import { createHash } from 'node:crypto';

/** 64 lower-case hex digits; undefined when `text` is no SHA-256. */
export function normalFingerprint(text: string): string | undefined {
  const digits = text.replaceAll(':', '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}

/** SHA-256 of a certificate in DER. */
export const fingerprintOf = (certificate: Uint8Array): string =>
  createHash('sha256').update(certificate).digest('hex');

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

/**
 * Whether the server that shows `certificate` is the one that was meant. Only its fingerprint counts: neither who signed it nor
 * how long it is valid says which machine it is.
 */
export function judgeServer(certificate: Uint8Array, expected: string | undefined): Verdict {
  const seen = fingerprintOf(certificate);
  if (expected === undefined) {
    const why = `nobody has said that this server is to be trusted: it shows the certificate with SHA-256 ${seen}; compare that with the server's own display, then set serverFingerprint to it`;
    return { ok: false, why };
  }
  const wanted = normalFingerprint(expected);
  if (seen === wanted) return { ok: true };
  const why = `another certificate than expected: it shows SHA-256 ${seen}, serverFingerprint is ${wanted ?? expected}; set it to the one seen only if the server's certificate was replaced on purpose, for otherwise somebody stands in between`;
  return { ok: false, why };
}

/** The library's way to ask about certificates (its ICertificateStore), answered by fingerprint. It never learns a certificate. */
export interface TrustStore<Status> {
  referenceCounter: number;
  /** Why the last server was refused; undefined when it was not. */
  readonly refusal: string | undefined;
  initialize(): Promise<void>;
  dispose(): Promise<void>;
  checkCertificate(shown: Buffer | Buffer[]): Promise<Status>;
  verifyCertificate(shown: Buffer | Buffer[]): Promise<string>;
  getTrustStatus(shown: Buffer): Promise<Status>;
  trustCertificate(): Promise<void>;
  rejectCertificate(): Promise<void>;
  addIssuer(): Promise<void>;
  addRevocationList(): Promise<void>;
}

/**
 * @param expected Fingerprint of the one server to be trusted; 'any' where security was waived.
 * @param own The gateway's own certificate, which the library asks about, too.
 */
export function createTrustStore<Status>(
  expected: string | undefined,
  own: Uint8Array,
  status: { readonly good: Status; readonly untrusted: Status },
): TrustStore<Status> {
  let refusal: string | undefined;

  function check(shown: Buffer | Buffer[]): boolean {
    if (expected === 'any') return true;
    const leaf = Array.isArray(shown) ? shown[0] : shown; // A chain begins with the server's own.
    if (leaf?.equals(own)) return true;
    const verdict = leaf ? judgeServer(leaf, expected) : { ok: false as const, why: 'no certificate' };
    refusal = verdict.ok ? undefined : verdict.why;
    return verdict.ok;
  }
  const statusOf = (shown: Buffer | Buffer[]): Promise<Status> =>
    Promise.resolve(check(shown) ? status.good : status.untrusted);
  const nothing = (): Promise<void> => Promise.resolve();

  return {
    referenceCounter: 0,
    get refusal() {
      return refusal;
    },
    checkCertificate: statusOf,
    getTrustStatus: statusOf,
    verifyCertificate: (shown) => Promise.resolve(check(shown) ? 'Good' : 'BadCertificateUntrusted'),
    initialize: nothing,
    dispose: nothing,
    trustCertificate: nothing,
    rejectCertificate: nothing,
    addIssuer: nothing,
    addRevocationList: nothing,
  };
}
