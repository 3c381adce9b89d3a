import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  CertificatePurpose,
  createSelfSignedCertificate,
  generatePrivateKey,
  privateKeyToPEM,
} from 'node-opcua-crypto';

/** Who the server is, the same after every restart. */
export interface ServerIdentity {
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  /** SHA-256 of the certificate (DER), lower-case hex. */
  readonly fingerprint: string;
}

/** The server's key and certificate in `dataDir`, made on the first start. */
export async function keepIdentity(dataDir: string, applicationUri: string): Promise<ServerIdentity> {
  const certificateFile = join(dataDir, 'opcua-certificate.pem');
  const privateKeyFile = join(dataDir, 'opcua-key.pem');
  if (!existsSync(certificateFile)) {
    const { key, certificate } = await createIdentity(applicationUri);
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(privateKeyFile, key, { mode: 0o600 });
    const draft = `${certificateFile}.${process.pid}.tmp`;
    writeFileSync(draft, certificate);
    renameSync(draft, certificateFile); // Last: where there is a certificate there is its key.
  }
  const { raw } = new X509Certificate(readFileSync(certificateFile));
  return { certificateFile, privateKeyFile, fingerprint: createHash('sha256').update(raw).digest('hex') };
}

async function createIdentity(applicationUri: string): Promise<{ key: string; certificate: string }> {
  const privateKey = await generatePrivateKey(2048);
  const { cert } = await createSelfSignedCertificate({
    privateKey,
    subject: '/CN=Parkline simulator',
    applicationUri,
    dns: ['localhost', hostname()],
    ip: ['127.0.0.1'],
    notBefore: new Date(),
    validity: 3_650,
    purpose: CertificatePurpose.ForApplication,
  });
  const { privPem } = await privateKeyToPEM(privateKey);
  return { key: privPem, certificate: cert };
}
