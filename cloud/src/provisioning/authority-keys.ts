import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OnlineSeeds, type Parties, publicKeyOf } from './authority.ts';
import type { Identity } from './pki.ts';

/** Names of the files in the provisioner's folder. All but the parties and the certificate are secret. */
export const provisionerFiles = {
  parties: 'parties.json',
  operatorSigning: 'operator-signing.nk',
  edgeSigning: 'edge-signing.nk',
  authorityKey: 'ca.key.pem',
  authority: 'ca.crt.pem',
  /** User of the SYS account. */
  creds: 'provisioner.creds',
} as const;

/** What lets gateways in and throws them out; no other process reads it. */
export interface AuthorityKeys {
  readonly parties: Parties;
  readonly seeds: OnlineSeeds;
  readonly authority: Identity;
}

/** @throws Error naming the file that is missing or does not belong to the others. */
export function readAuthorityKeys(folder: string): AuthorityKeys {
  const read = (name: string): string => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch (cause) {
      const { message } = cause as Error;
      throw new Error(
        `PROVISIONER_DIR lacks a key (make the folder with "npm run nats -- init"): ${message}`,
        {
          cause,
        },
      );
    }
  };
  const parties = JSON.parse(read(provisionerFiles.parties)) as Parties;
  const seeds = {
    operatorSigning: read(provisionerFiles.operatorSigning).trim(),
    edgeSigning: read(provisionerFiles.edgeSigning).trim(),
  };
  for (const name of ['operatorSigning', 'edgeSigning'] as const)
    if (publicKeyOf(seeds[name]) !== parties[name])
      throw new Error(
        `${join(folder, provisionerFiles[name])} is not the key that ${provisionerFiles.parties} names`,
      );
  const authority = {
    keyPem: read(provisionerFiles.authorityKey),
    certificatePem: read(provisionerFiles.authority),
  };
  return { parties, seeds, authority };
}
