// The park's private certificate authority: it lets a connection reach the message server at all. Who somebody is says the JWT.
import 'reflect-metadata'; // The library below needs it to be there first.
import { createHash, createPublicKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** Life of a certificate of a server, a service or a gateway. A gateway's is renewed with its JWT, long before. */
export const CERTIFICATE_LIFE_MS = 365 * 86_400_000;
const CA_LIFE_MS = 10 * CERTIFICATE_LIFE_MS;
/** Clocks of the field are not exact: what is signed counts from a little before. */
const BACKDATED_MS = 5 * 60_000;

const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };

/** A key and its certificate, as PEM (PKCS8 and X.509). */
export interface Identity {
  readonly keyPem: string;
  readonly certificatePem: string;
}

/** What a certificate is for: `server` listens at these names and addresses and dials its peers, `client` dials a server. */
export type Purpose =
  { readonly kind: 'client' } | { readonly kind: 'server'; readonly hosts: readonly string[] };

/** An authority that signs server and client certificates and no further authorities. */
export async function newAuthority(name: string, now: Date): Promise<Identity> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: newSerial(),
      name: [{ CN: [name] }],
      ...validity(now, CA_LIFE_MS),
      signingAlgorithm,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { keyPem: await privatePem(keys.privateKey), certificatePem: pemOf(certificate) };
}

/** A new key with its certificate, for a server or service that makes no key of its own. */
export async function newIdentity(
  authority: Identity,
  name: string,
  purpose: Purpose,
  now: Date,
  lifeMs = CERTIFICATE_LIFE_MS,
): Promise<Identity> {
  const keys = await newKeys();
  const publicKey = await webcrypto.subtle.exportKey('spki', keys.publicKey);
  const certificatePem = await certify(authority, name, publicKey, purpose, now, lifeMs);
  return { keyPem: await privatePem(keys.privateKey), certificatePem };
}

/**
 * The client certificate of a gateway's own key; the caller has seen that the gateway holds the private half.
 * @param publicKeyPem SPKI PEM of a P-256 key.
 * @throws RangeError on anything else.
 */
export function certifyGateway(
  authority: Identity,
  gatewayId: string,
  publicKeyPem: string,
  now: Date,
  lifeMs = CERTIFICATE_LIFE_MS,
): Promise<string> {
  return certify(authority, gatewayId, p256Spki(publicKeyPem), { kind: 'client' }, now, lifeMs);
}

/** SHA-256 of a certificate, hex without colons: what the audit keeps beside the nkey. */
export const fingerprintOf = (certificatePem: string): string =>
  new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '').toLowerCase();

/** SHA-256 of the public key (SPKI), base64: what an installer compares before trusting an authority. */
export const pinOf = (certificatePem: string): string =>
  createHash('sha256')
    .update(new X509Certificate(certificatePem).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');

async function certify(
  authority: Identity,
  name: string,
  publicKey: ArrayBuffer | Buffer<ArrayBuffer>,
  purpose: Purpose,
  now: Date,
  lifeMs: number,
): Promise<string> {
  const issuer = new Certificate(authority.certificatePem);
  const subjectKey = new PublicKey(publicKey);
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: newSerial(),
      subject: [{ CN: [name] }],
      issuer: issuer.subject,
      ...validity(now, lifeMs),
      signingAlgorithm,
      publicKey: subjectKey,
      signingKey: await signingKeyOf(authority),
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        ...usesOf(purpose),
        await SubjectKeyIdentifierExtension.create(subjectKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return pemOf(certificate);
}

/** A server of a cluster also dials its peers, so its certificate serves both ways; a gateway's never serves. */
function usesOf(purpose: Purpose) {
  if (purpose.kind === 'client') return [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth], true)];
  const names = purpose.hosts.map((host) => ({
    type: isIP(host) ? ('ip' as const) : ('dns' as const),
    value: host,
  }));
  return [
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth], true),
    new SubjectAlternativeNameExtension(names, false),
  ];
}

function p256Spki(pem: string): Buffer<ArrayBuffer> {
  let key;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new RangeError('not a public key in PEM', { cause });
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new RangeError(
      `the TLS key is ${key.asymmetricKeyType ?? 'unknown'}; it must be one of the curve P-256`,
    );
  return key.export({ type: 'spki', format: 'der' });
}

const validity = (now: Date, lifeMs: number) => ({
  notBefore: new Date(now.getTime() - BACKDATED_MS),
  notAfter: new Date(now.getTime() + lifeMs),
});

/** 16 random bytes; positive, and never zero (RFC 5280 clause 4.1.2.2). */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);

const signingKeyOf = ({ keyPem }: Identity): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(keyPem), P256, false, ['sign']);

const privatePem = async (key: webcrypto.CryptoKey): Promise<string> =>
  `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;

const pemOf = (certificate: Certificate): string => `${certificate.toString('pem')}\n`;
