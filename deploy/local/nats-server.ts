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
 * Finds nats-server: NATS_SERVER, then PATH, then the cache, then Debian packages (the unstable suite's, else the stable one's).
 * @throws DebsError when none is usable.
 */
export async function findNatsServer(
  debs: Debs,
  env: NodeJS.ProcessEnv,
  notice: (text: string) => void,
): Promise<NatsServer> {
  const found = (await fromEnvironment(env)) ?? (await fromPath(env)) ?? (await fromDebs(debs));
  if (!found.forProduction)
    notice(
      `nats-server ${found.version} is older than ${production}: fine on loopback for development, not for production`,
    );
  return found;
}

async function fromEnvironment(env: NodeJS.ProcessEnv): Promise<NatsServer | undefined> {
  if (!env['NATS_SERVER']) return undefined;
  const server = await inspect(env['NATS_SERVER']);
  if (!server)
    throw new DebsError(`NATS_SERVER=${env['NATS_SERVER']} is no nats-server of version ${usable} or newer`);
  return server;
}

/** A server of the system that is too old for production is passed over: the cache may hold a better one. */
async function fromPath(env: NodeJS.ProcessEnv): Promise<NatsServer | undefined> {
  const folders = [...(env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const path of new Set(folders.filter(Boolean).map((folder) => join(folder, 'nats-server')))) {
    const server = existsSync(path) ? await inspect(path) : undefined;
    if (server?.forProduction) return server;
  }
  return undefined;
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
    'no nats-server: install it and set NATS_SERVER=<path>, or set NATS_URL to a running one',
    {
      cause: new AggregateError(faults),
    },
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
