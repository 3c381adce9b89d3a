import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { readAuthorityKeys } from '../../cloud/src/provisioning/authority-keys.ts';
import { readIfThere } from '../local/files.ts';
import { trustFolders } from './trust.ts';

const DAY_MS = 86_400_000;
/** A certificate that ends sooner is named. */
const SOON_MS = 30 * DAY_MS;

/** What of a folder that `init` made is missing, too open, or soon past its date: one line for each. */
export async function faultsOf(out: string, now: Date): Promise<string[]> {
  const servers = globSync('server-*/server.conf', { cwd: out });
  const faults = servers.length === 0 ? [`${out} holds no server-*/server.conf: run init first`] : [];
  faults.push(...keyFaults(trustFolders(join(out, 'trust')).provisioner));
  for (const file of globSync('**/*.{nk,creds,key.pem,conf}', { cwd: out }))
    faults.push(...(await modeFaults(join(out, file))));
  for (const file of globSync('**/*.crt.pem', { cwd: out }))
    faults.push(...(await certificateFaults(join(out, file), join(out, 'trust'), now)));
  for (const file of servers) faults.push(...(await confFaults(join(out, file))));
  return faults;
}

function keyFaults(folder: string): string[] {
  try {
    readAuthorityKeys(folder);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

async function modeFaults(file: string): Promise<string[]> {
  const { mode } = await stat(file);
  return (mode & 0o077) === 0 ? [] : [`${file} is open to other users: chmod 600`];
}

async function certificateFaults(file: string, trust: string, now: Date): Promise<string[]> {
  const certificate = new X509Certificate((await readIfThere(file)) ?? '');
  const authority = new X509Certificate(
    (await readIfThere(join(trustFolders(trust).provisioner, 'ca.crt.pem'))) ?? '',
  );
  if (!certificate.verify(authority.publicKey))
    return [`${file} is not signed by the authority of this park`];
  const leftMs = certificate.validToDate.getTime() - now.getTime();
  if (leftMs > SOON_MS) return [];
  return [
    `${file} ends ${certificate.validToDate.toISOString()}: move it away and run init, which makes a new one`,
  ];
}

/** What a person may have changed by hand and must not. */
async function confFaults(file: string): Promise<string[]> {
  const text = ((await readIfThere(file)) ?? '').replace(/#.*$/gm, '');
  const faults: string[] = [];
  if (/\bstrict\b\s*[:=]?\s*(false|no|off|0)/i.test(text))
    faults.push('strict must not be false: it reopens the purge through a reply');
  if (!/sync_interval\s*[:=]?\s*"?always/.test(text))
    faults.push('sync_interval must be always: a power cut loses messages else');
  if (!/handshake_first\s*[:=]?\s*true/.test(text))
    faults.push('handshake_first must be true: plain clients learn of the server else');
  if (!/^\s*operator\s*:/m.test(text)) faults.push('there is no operator: gateways could not be thrown out');
  return faults.map((fault) => `${file}: ${fault}`);
}
