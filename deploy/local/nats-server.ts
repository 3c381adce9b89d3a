import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Debs, DebsError, type DebSet, type Suite } from './debs.ts';
import { run } from './machine.ts';

/** An installed nats-server. */
export interface NatsServer {
  readonly path: string;
  readonly version: string;
  /** Whether it is new enough to be trusted beyond loopback and development. */
  readonly forProduction: boolean;
}

/** Oldest version that gets the JetStream design right (multi-filter consumers, work queues). */
const usable = '2.10.0';
/** Oldest version that parses JetStream API requests strictly, which closes the purge attack through a reply subject. */
const production = '2.14.0';

/**
 * Finds nats-server: NATS_SERVER, then PATH, then Debian packages kept in the cache (the unstable suite's, else the stable one's).
 * @throws DebsError when none is usable.
 */
export async function findNatsServer(
  debs: Debs,
  env: NodeJS.ProcessEnv,
  notice: (text: string) => void,
): Promise<NatsServer> {
  const named = await fromEnvironment(env);
  const system = named ? [] : await onSystem(env);
  const found = named ?? system.find(({ forProduction }) => forProduction) ?? (await newest(debs, system));
  if (!found.forProduction)
    notice(
      `nats-server ${found.version} is older than ${production}: fine on loopback for development, not for production`,
    );
  return found;
}

/** Packages may hold a newer server than the system; where they cannot be had, an old one still serves development. */
async function newest(debs: Debs, system: readonly NatsServer[]): Promise<NatsServer> {
  try {
    return await fromDebs(debs);
  } catch (error) {
    if (!(error instanceof DebsError) || !system[0]) throw error;
    return system[0];
  }
}

async function fromEnvironment(env: NodeJS.ProcessEnv): Promise<NatsServer | undefined> {
  if (!env['NATS_SERVER']) return undefined;
  const server = await inspect(env['NATS_SERVER']);
  if (!server)
    throw new DebsError(`NATS_SERVER=${env['NATS_SERVER']} is no nats-server of version ${usable} or newer`);
  return server;
}

/** The servers of the system, a normal user's PATH or not. */
async function onSystem(env: NodeJS.ProcessEnv): Promise<NatsServer[]> {
  const folders = [...(env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const paths = new Set(folders.filter(Boolean).map((folder) => join(folder, 'nats-server')));
  const servers = await Promise.all([...paths].filter((path) => existsSync(path)).map(inspect));
  return servers.filter((server) => server !== undefined);
}

async function fromDebs(debs: Debs): Promise<NatsServer> {
  const faults: unknown[] = [];
  for (const suite of ['sid', 'trixie'] as const) {
    try {
      const server = await inspect(join(await debs.get(debSet(suite)), 'usr/sbin/nats-server'));
      if (server) return server;
    } catch (error) {
      // The index of the unstable suite is often past its date; the stable suite then serves development.
      if (!(error instanceof DebsError)) throw error;
      faults.push(error);
    }
  }
  throw new DebsError(
    'there is no nats-server: install it (apt-get install nats-server, brew install nats-server), ' +
      'name it with NATS_SERVER=<path>, or use a running one with NATS_URL=nats://<host>:4222',
    { cause: faults[0] },
  );
}

const debSet = (suite: Suite): DebSet => ({ name: `nats-server-${suite}`, suite, packages: ['nats-server'] });

async function inspect(path: string): Promise<NatsServer | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], { timeoutMs: 10_000 });
    const version = /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    if (!version || !isAtLeast(version, usable)) return undefined;
    return { path, version, forProduction: isAtLeast(version, production) };
  } catch {
    return undefined; // Not a program of this machine: the next place is tried.
  }
}

/** Compares dotted numbers: "2.9.10" is older than "2.10.0". */
export function isAtLeast(version: string, floor: string): boolean {
  const [have, want] = [version, floor].map((text) => text.split('.').map(Number));
  for (let i = 0; i < 3; i += 1) {
    const difference = (have?.[i] ?? 0) - (want?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
