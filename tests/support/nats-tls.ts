import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Identity, newAuthority, newIdentity } from '../../cloud/src/provisioning/pki.ts';
import type { TlsFiles } from '../../deploy/nats/render.ts';
import type { TestNatsOptions } from './nats.ts';

/** What is unusual about a certificate; nothing: the park's authority, valid from now for a year. */
export interface Oddity {
  readonly authority?: Identity;
  /** When it begins. */
  readonly from?: Date;
  readonly lifeMs?: number;
}

export const foreignAuthority = (): Promise<Identity> => newAuthority('somebody else', new Date());

/** Makes a server speak TLS 1.3 and ask for certificates, as deploy/nats does. */
export const withTls =
  (hosts: readonly string[], oddity: Oddity = {}): NonNullable<TestNatsOptions['change']> =>
  async (trust, folder) => {
    const purpose = { kind: 'server', hosts } as const;
    const { authority = trust.authority, from = new Date(), lifeMs } = oddity;
    const identity = await newIdentity(authority, 'hub', purpose, from, lifeMs);
    return { tls: await writeIdentity(join(folder, 'tls'), identity, trust.authority.certificatePem) };
  };

/** Writes key, certificate and the authority to believe. */
export async function writeIdentity(folder: string, identity: Identity, caPem: string): Promise<TlsFiles> {
  await mkdir(folder, { recursive: true });
  const files = {
    certFile: join(folder, 'tls.crt.pem'),
    keyFile: join(folder, 'tls.key.pem'),
    caFile: join(folder, 'ca.crt.pem'),
  };
  await writeFile(files.certFile, identity.certificatePem);
  await writeFile(files.keyFile, identity.keyPem);
  await writeFile(files.caFile, caPem);
  return files;
}
