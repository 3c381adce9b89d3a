import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from './context.ts';
import { readIfThere, writeWhole } from './files.ts';
import { natsUser, publicTlsKey, savePublicKey, signingKey, type SigningKey } from './keys.ts';
import { run } from './machine.ts';
import type { GatewayUser } from '../nats/render.ts';
import { letIn } from '../nats/trust.ts';
import type { Broker } from './broker.ts';
import { followFlags, type NodeProcess, nodeService } from './node-service.ts';
import type { Parkline } from './parkline.ts';
import { query } from './postgres.ts';
import { keepDeviceTokens } from './device-tokens.ts';
import { demoPeople, neighbours, type Person, type PlannedPerson, withPasswords } from './people.ts';

/** A gateway of the simulated park. */
export interface Gateway extends GatewayUser {
  readonly key: string;
  readonly name: string;
  /** Its own folder: configuration, keys and outbox. */
  readonly home: string;
}

/** What the database knows after seeding. */
export interface SeededPark {
  /** Key of its account. */
  readonly key: string;
  readonly gateways: readonly Gateway[];
  /** Who can log in. */
  readonly people: readonly Person[];
}

/** What `parkline park seed --json` prints. */
interface Seeded {
  readonly key: string;
  readonly gateways: readonly { readonly key: string; readonly id: string; readonly name: string }[];
  /** Logins of those who are there. */
  readonly people: readonly string[];
  /** What of the list of people the park had no use for, in words. */
  readonly notes: readonly string[];
}

/** Ports of the simulated buses; the simulator writes it, gateways are configured from it. */
const busPorts = (context: Context): string => join(context.home.simulator, 'ports.json');
/** What MQTT devices log in with: the simulated ones know it, gateways know its hash. */
const deviceTokens = (context: Context): string => join(context.home.secrets, 'mqtt-devices.json');

export async function runSimulator(context: Context, park: string): Promise<void> {
  const { home, options, supervisor } = context;
  // Tests compare what was served with what was stored; for people the log would only grow.
  const log = options.logServed ? ['--log', join(home.simulator, 'served.jsonl')] : [];
  const file = deviceTokens(context);
  const secrets = (await keepDeviceTokens(file, park)) ? ['--secrets', file] : [];
  const args = ['--park', park, '--ports', busPorts(context), ...secrets, ...log];
  const entry = 'firmware-sim/src/main.ts';
  await supervisor.run(
    nodeService(context, { name: 'simulator', stage: 'field', entry, args, stopWithinMs: 2500 }),
  );
}

/** Puts the park and its people into the database, and the gateways' keys into their homes. Does nothing the second time. */
export async function seedPark(context: Context, parkline: Parkline, park: string): Promise<SeededPark> {
  const seeded = await seed(context, parkline, park, 'people.json', demoPeople);
  const gateways = await Promise.all(seeded.gateways.map((gateway) => prepareGateway(context, gateway)));
  return { ...seeded, gateways };
}

/** A park of another operator, with people and a short past and without a gateway that runs. */
export async function seedNeighbour(
  context: Context,
  parkline: Parkline,
  park: string,
): Promise<Omit<SeededPark, 'gateways'>> {
  return seed(context, parkline, park, 'neighbours.json', neighbours);
}

async function seed(
  { home, steps }: Context,
  parkline: Parkline,
  park: string,
  list: string,
  planned: readonly PlannedPerson[],
): Promise<Omit<Seeded, 'people'> & { readonly people: readonly Person[] }> {
  const file = join(home.secrets, list);
  const people = await withPasswords(file, planned);
  const seeded = JSON.parse(await parkline(['park', 'seed', park, '--people', file, '--json'])) as Seeded;
  for (const note of seeded.notes) steps.detail(note);
  return { ...seeded, people: people.filter(({ login }) => seeded.people.includes(login)) };
}

async function prepareGateway(
  context: Context,
  { key, id, name }: Seeded['gateways'][number],
): Promise<Gateway> {
  const home = join(context.home.gateways, key);
  await mkdir(join(home, 'keys'), { recursive: true, mode: 0o700 });
  await chmod(home, 0o700);
  const publicNkey = await natsUser(join(home, 'keys/nats.nk'));
  return { key, id, name, home, publicNkey };
}

/** Whom a gateway of the park deals with. */
export interface GatewayPeers {
  /** Key of the account. */
  readonly account: string;
  readonly cloudKey: SigningKey;
  readonly databaseUrl: string;
  readonly broker: Broker;
}

/** Tells both sides whom to believe and writes the gateway's configuration; its process can start then. */
export async function configureGateway(
  context: Context,
  parkline: Parkline,
  gateway: Gateway,
  { account, cloudKey, databaseUrl, broker }: GatewayPeers,
): Promise<void> {
  const { home, key } = gateway;
  const own = await signingKey(join(home, 'keys/signing.pem'));
  const publicFile = join(home, 'keys/signing.pub.pem');
  await savePublicKey(publicFile, own);
  await savePublicKey(join(home, 'keys/cloud.pub.pem'), cloudKey);
  const named = [key, '--account', account];
  const known = await look(databaseUrl, gateway, own.publicPem);
  if (!known.isTrusted) {
    const tlsFile = await publicTlsKey(join(home, 'keys/tls.key.pem'));
    const user = ['--nkey', gateway.publicNkey, '--tls-key', tlsFile];
    await parkline(['gateway', 'trust', ...named, '--public-key', publicFile, ...user]);
  }
  const jwtFile = join(home, 'keys/nats.jwt');
  if (!broker.trust)
    await rm(jwtFile, { force: true }); // A server that is not ours knows the key itself.
  else if (!known.isRevoked) await writeWhole(jwtFile, `${await letIn(broker.trust, gateway, new Date())}\n`);
  const every = context.options.reportEvery ? ['--set', 'report.every=true'] : [];
  const set = ['--set', `nats.url=${broker.url}`, ...every];
  const tokens = deviceTokens(context);
  const secrets = existsSync(tokens) ? ['--secrets', tokens] : []; // A park without such devices has no tokens.
  const ports = ['--ports', busPorts(context)];
  const flags = [...ports, ...secrets, ...set, '--note', '--yaml'];
  const config = await parkline(['gateway', 'config', ...named, ...flags]);
  await writeWhole(join(home, 'gateway.yaml'), config);
}

/** A look that spares a later start the command; an owner bound by row policies sees nothing and runs it. */
async function look(
  databaseUrl: string,
  { id, publicNkey }: Gateway,
  publicPem: string,
): Promise<{ readonly isTrusted: boolean; readonly isRevoked: boolean }> {
  const sql = `select public_key as pem, revoked_at is not null as revoked,
      exists (select from gateway_credential c where c.gateway_id = g.id and c.nkey = $2) as named
    from gateway g where id = $1`;
  const [known] = await query<{ pem: string | null; revoked: boolean; named: boolean }>(databaseUrl, sql, [
    id,
    publicNkey,
  ]);
  const isRevoked = known?.revoked ?? false;
  // One that was thrown out stays out: only a claim takes that back.
  return {
    isTrusted: isRevoked || (known?.named === true && known.pem?.trim() === publicPem.trim()),
    isRevoked,
  };
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

/** The past of a park. */
export interface History {
  /** Park file, and the key of its account. */
  readonly park: string;
  readonly account: string;
  readonly months: number;
  /** Remembers what was done. */
  readonly folder: string;
}

/**
 * Imports the months before the first start through the ordinary import path. Cut short, it is done again by the next start.
 * @returns false when it was done before.
 */
export async function importHistory(
  { root, signal }: Context,
  parkline: Parkline,
  { park, account, months, folder }: History,
): Promise<boolean> {
  const done = join(folder, 'imported.json');
  if (months === 0 || (await readIfThere(done)) !== undefined) return false;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const until = await firstStart(folder);
  const file = join(folder, 'readings.csv');
  const script = join(root, 'firmware-sim/src/history.ts');
  const args = ['--park', park, '--months', String(months), '--until', until, '--out', file];
  await run(process.execPath, [...followFlags, script, ...args], { cwd: root, signal });
  await parkline(['readings', 'import', file, '--simulated', '--account', account]);
  await rm(file, { force: true });
  await writeWhole(done, `${JSON.stringify({ months, until })}\n`);
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
