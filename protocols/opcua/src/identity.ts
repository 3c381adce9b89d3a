import { randomUUID, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { crypto_utils } from 'node-opcua-client';
import { fingerprintOf } from './trust.ts';

/** Who the gateway is to servers: the same certificate for ever, so that they can trust it once. */
export interface Identity {
  /** DER. */
  readonly certificate: Buffer;
  readonly privateKeyPem: string;
  /** Named in the certificate; servers compare the two. */
  readonly applicationUri: string;
  readonly fingerprint: string;
  /** Where it is kept, for the person who copies it to the server. */
  readonly path: string;
}

/** The gateway's key and certificate in `dataDir`, made when there are none. */
export async function keepIdentity(dataDir: string, crypto: typeof crypto_utils): Promise<Identity> {
  const path = join(dataDir, 'client.pem');
  const pem = (await readIfThere(path)) ?? (await makeIdentity(path, dataDir, crypto));
  const at = pem.indexOf('-----BEGIN CERTIFICATE-----');
  const certificate = new X509Certificate(pem.slice(at));
  return {
    certificate: certificate.raw,
    privateKeyPem: pem.slice(0, at),
    applicationUri: /URI:([^,\s]+)/.exec(certificate.subjectAltName ?? '')?.[1] ?? '',
    fingerprint: fingerprintOf(certificate.raw),
    path,
  };
}

async function makeIdentity(path: string, dataDir: string, crypto: typeof crypto_utils): Promise<string> {
  const privateKey = await crypto.generatePrivateKey(2048);
  const { cert } = await crypto.createSelfSignedCertificate({
    privateKey,
    subject: '/CN=Parkline gateway',
    applicationUri: `urn:parkline:gateway:${randomUUID()}`,
    notBefore: new Date(),
    validity: 7_300,
    purpose: crypto.CertificatePurpose.ForApplication,
  });
  const { privPem } = await crypto.privateKeyToPEM(privateKey);
  const pem = `${privPem.trim()}\n${cert.trim()}\n`;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}.tmp`; // Whole or not at all, should the power fail.
  await writeFile(draft, pem, { mode: 0o600 });
  await rename(draft, path);
  return pem;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
