import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { newIdentity, type Purpose } from '../../cloud/src/provisioning/pki.ts';
import { readIfThere, readOrMake, writeWhole } from '../local/files.ts';
import { type ClusterConfig, renderServer } from './render.ts';
import { dialled, type SeatedServer } from './seats.ts';
import { openTrust, type Trust } from './trust.ts';

/** What the files of a park are made for. */
export interface Plan {
  /** Where they are made; everything that is there stays. */
  readonly out: string;
  /** One server, or the three of a cluster. */
  readonly servers: readonly SeatedServer[];
  /** Bytes all streams of one server may take. */
  readonly maxFileStore: number;
}

/** Names of the files in the folder of a server, and of those in the folder of the cloud. */
export const tlsNames = { certFile: 'tls.crt.pem', keyFile: 'tls.key.pem', caFile: 'ca.crt.pem' } as const;

/** Makes what is missing. @returns the folders of the servers. */
export async function makeFiles(plan: Plan, now: Date): Promise<string[]> {
  const trust = await openTrust(join(plan.out, 'trust'), now);
  await keepIdentity(trust.folders.cloud, trust, 'parkline cloud', { kind: 'client' }, now);
  await keepIdentity(trust.folders.provisioner, trust, 'parkline provisioner', { kind: 'client' }, now);
  const password = await readOrMake(join(trust.folders.offline, 'route-password'), () =>
    randomBytes(24).toString('base64url'),
  );
  const folders: string[] = [];
  for (const server of plan.servers) {
    const folder = join(plan.out, `server-${server.name}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await keepIdentity(folder, trust, server.name, { kind: 'server', hosts: server.hosts }, now);
    await writeWhole(join(folder, 'server.conf'), await confOf(plan, server, trust, password.trim()));
    folders.push(folder);
  }
  return folders;
}

function confOf(plan: Plan, server: SeatedServer, trust: Trust, password: string): Promise<string> {
  const { maxFileStore, servers } = plan;
  const { name, address, port, clusterPort, httpPort, configDir, dataDir } = server;
  const inConfig = (file: string): string => posix.join(configDir, file);
  const tls = {
    certFile: inConfig(tlsNames.certFile),
    keyFile: inConfig(tlsNames.keyFile),
    caFile: inConfig(tlsNames.caFile),
  };
  const cluster: ClusterConfig = {
    ...{ name: 'parkline', listen: dialled(address, clusterPort), password, tls },
    peers: servers.map((one) => dialled(one.hosts[0] ?? '', one.clusterPort)),
  };
  return renderServer({
    ...{ serverName: name, listen: dialled(address, port), httpPort, maxFileStore, tls, trust: trust.server },
    storeDir: posix.join(dataDir, 'store'),
    jwtDir: posix.join(dataDir, 'jwt'),
    pidFile: posix.join(dataDir, 'nats.pid'),
    ...(servers.length > 1 && { cluster }),
  });
}

/** A key is made together with its certificate. To renew one, move its certificate away and run this again. */
async function keepIdentity(
  folder: string,
  { authority }: Trust,
  name: string,
  purpose: Purpose,
  now: Date,
): Promise<void> {
  const file = (kind: keyof typeof tlsNames): string => join(folder, tlsNames[kind]);
  await writeWhole(file('caFile'), authority.certificatePem, 0o644);
  if (
    (await readIfThere(file('certFile'))) !== undefined &&
    (await readIfThere(file('keyFile'))) !== undefined
  )
    return;
  const identity = await newIdentity(authority, name, purpose, now);
  await writeWhole(file('keyFile'), identity.keyPem);
  await writeWhole(file('certFile'), identity.certificatePem, 0o644);
}
