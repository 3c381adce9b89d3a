import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from './context.ts';
import { readIfThere, writeWhole } from './files.ts';
import { natsUser, savePublicKey, signingKey, type SigningKey } from './keys.ts';
import { run } from './machine.ts';
import type { GatewayUser } from './nats-config.ts';
import { followFlags, type NodeProcess, nodeService } from './node-service.ts';
import type { Parkline } from './parkline.ts';
import { query } from './postgres.ts';
import { demoPeople, type Person } from './people.ts';

/** A gateway of the simulated park. */
export interface Gateway extends GatewayUser {
  readonly key: string;
  readonly name: string;
  /** Its own folder: configuration, keys and outbox. */
  readonly home: string;
}

/** What the database knows after seeding. */
export interface SeededPark {
  readonly gateways: readonly Gateway[];
  readonly people: readonly Person[];
}

/** What `parkline park seed --json` prints of a gateway. */
interface SeededGateway {
  readonly key: string;
  readonly id: string;
  readonly name: string | { readonly en: string };
}

/** Ports of the simulated buses; the simulator writes it, gateways are configured from it. */
const busPorts = (context: Context): string => join(context.home.simulator, 'ports.json');

export async function runSimulator(context: Context, park: string): Promise<void> {
  const { home, options, supervisor } = context;
  // Tests compare what was served with what was stored; for people the log would only grow.
  const log = options.logServed ? ['--log', join(home.simulator, 'served.jsonl')] : [];
  const args = ['--park', park, '--ports', busPorts(context), ...log];
  const entry = 'firmware-sim/src/main.ts';
  await supervisor.run(
    nodeService(context, { name: 'simulator', stage: 'field', entry, args, stopWithinMs: 2500 }),
  );
}

/** Puts the park and its people into the database, and the gateways' keys into their homes. Does nothing the second time. */
export async function seedPark(context: Context, parkline: Parkline, park: string): Promise<SeededPark> {
  const peopleFile = join(context.home.secrets, 'people.json');
  const people = await demoPeople(peopleFile);
  const output = await parkline(['park', 'seed', park, '--people', peopleFile, '--json']);
  const seeded = (JSON.parse(output) as { gateways: SeededGateway[] }).gateways;
  const gateways = await Promise.all(seeded.map((gateway) => prepareGateway(context, gateway)));
  return { gateways, people };
}

async function prepareGateway(context: Context, { key, id, name }: SeededGateway): Promise<Gateway> {
  const home = join(context.home.gateways, key);
  await mkdir(join(home, 'keys'), { recursive: true, mode: 0o700 });
  await chmod(home, 0o700);
  const publicNkey = await natsUser(join(home, 'keys/nats.nk'));
  return { key, id, name: typeof name === 'string' ? name : name.en, home, publicNkey };
}

/** Whom a gateway of the park deals with. */
export interface GatewayPeers {
  readonly cloudKey: SigningKey;
  readonly databaseUrl: string;
  readonly natsUrl: string;
}

/** Tells both sides whom to believe and writes the gateway's configuration; its process can start then. */
export async function configureGateway(
  context: Context,
  parkline: Parkline,
  gateway: Gateway,
  { cloudKey, databaseUrl, natsUrl }: GatewayPeers,
): Promise<void> {
  const { home, key } = gateway;
  const own = await signingKey(join(home, 'keys/signing.pem'));
  const publicFile = join(home, 'keys/signing.pub.pem');
  await savePublicKey(publicFile, own);
  await savePublicKey(join(home, 'keys/cloud.pub.pem'), cloudKey);
  if (!(await isTrusted(databaseUrl, gateway.id, own.publicPem)))
    await parkline(['gateway', 'trust', key, '--public-key', publicFile]);
  const every = context.options.reportEvery ? ['--set', 'report.every=true'] : [];
  const set = ['--set', `nats.url=${natsUrl}`, ...every];
  const config = await parkline(['gateway', 'config', key, '--ports', busPorts(context), ...set, '--yaml']);
  await writeWhole(join(home, 'gateway.yaml'), config);
}

/** A look that spares a later start the command; an owner bound by row policies sees nothing and runs it. */
async function isTrusted(databaseUrl: string, id: string, publicPem: string): Promise<boolean> {
  const sql = 'select public_key as pem from gateway where id = $1';
  const [known] = await query<{ pem: string | null }>(databaseUrl, sql, [id]);
  return known?.pem?.trim() === publicPem.trim();
}

export async function runGateway(context: Context, gateway: Gateway): Promise<void> {
  const process: NodeProcess = {
    name: `gateway-${gateway.key}`,
    stage: 'field',
    entry: 'edge/src/main.ts',
    args: ['--home', gateway.home],
    stopWithinMs: 2500,
  };
  await context.supervisor.run(nodeService(context, process));
}

/**
 * Imports the months before the first start through the ordinary import path. Cut short, it is done again by the next start.
 * @returns false when it was done before.
 */
export async function importHistory(context: Context, parkline: Parkline, park: string): Promise<boolean> {
  const { root, home, options } = context;
  const done = join(home.history, 'imported.json');
  if (options.historyMonths === 0 || (await readIfThere(done)) !== undefined) return false;
  const until = await firstStart(home.history);
  const file = join(home.history, 'readings.csv');
  const months = String(options.historyMonths);
  const script = join(root, 'firmware-sim/src/history.ts');
  const args = ['--park', park, '--months', months, '--until', until, '--out', file];
  await run(process.execPath, [...followFlags, script, ...args], { cwd: root, signal: context.signal });
  await parkline(['readings', 'import', file, '--simulated']);
  await rm(file, { force: true });
  await writeWhole(done, `${JSON.stringify({ months: options.historyMonths, until })}\n`);
  return true;
}

/** The history ends where the first live reading begins, also when the import has to be repeated later. */
async function firstStart(folder: string): Promise<string> {
  const file = join(folder, 'until.txt');
  const known = await readIfThere(file);
  if (known !== undefined) return known.trim();
  await writeWhole(file, `${new Date().toISOString()}\n`);
  return (await readFile(file, 'utf8')).trim();
}
