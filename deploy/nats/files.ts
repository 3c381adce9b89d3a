import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { newIdentity, type Purpose } from '../../cloud/src/provisioning/pki.ts';
import { readIfThere, readOrMake, writeWhole } from '../local/files.ts';
import { type ClusterConfig, renderServer } from './render.ts';
import { openTrust, type Trust } from './trust.ts';

/** What the files of a park are made for. */
export interface Plan {
  /** Where they are made; everything that is there stays. */
  readonly out: string;
  /** One server, or the three of a cluster: its name, and the names and addresses by which it is dialled. */
  readonly servers: readonly { readonly name: string; readonly hosts: readonly string[] }[];
  readonly port: number;
  readonly clusterPort: number;
  readonly httpPort: number;
  /** Bytes all streams of one server may take. */
  readonly maxFileStore: number;
  /** Folder on the servers with what is in `server-<name>` here. */
  readonly configDir: string;
  /** Folder on the servers for streams and account JWTs. */
  readonly dataDir: string;
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
    await writeWhole(join(folder, 'server.conf'), await confOf(plan, server.name, trust, password.trim()));
    folders.push(folder);
  }
  return folders;
}

function confOf(plan: Plan, name: string, trust: Trust, password: string): Promise<string> {
  const { port, clusterPort, httpPort, configDir, dataDir, maxFileStore, servers } = plan;
  const inConfig = (file: string): string => posix.join(configDir, file);
  const tls = {
    certFile: inConfig(tlsNames.certFile),
    keyFile: inConfig(tlsNames.keyFile),
    caFile: inConfig(tlsNames.caFile),
  };
  const cluster: ClusterConfig = {
    ...{ name: 'parkline', listen: `0.0.0.0:${clusterPort}`, password, tls },
    peers: servers.map(({ hosts }) => `${hosts[0]}:${clusterPort}`),
  };
  return renderServer({
    ...{ serverName: name, listen: `0.0.0.0:${port}`, httpPort, maxFileStore, tls, trust: trust.server },
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
