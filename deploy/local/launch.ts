import { join } from 'node:path';
import { openBooks } from './billing.ts';
import { assertListens, attachBroker, type Broker, runBroker } from './broker.ts';
import { cloudKey, runCloud } from './cloud.ts';
import type { Context } from './context.ts';
import { attachDatabase, type Database, runDatabase } from './database.ts';
import type { Debs } from './debs.ts';
import { readOrMake } from './files.ts';
import { newToken, sealingKeys } from './keys.ts';
import { findNatsServer, type NatsServer } from './nats-server.ts';
import {
  configureGateway,
  type GatewayPeers,
  importHistory,
  runGateway,
  runSimulator,
  seedNeighbour,
  seedPark,
  type SeededPark,
} from './park.ts';
import { createParkline, type Parkline } from './parkline.ts';
import { portalPort, stablePorts, type Ports } from './ports.ts';
import { buildPortal } from './portal.ts';
import { keepProfile } from './profile.ts';
import { query } from './postgres.ts';
import { type RunFile, writeRunFile } from './run-file.ts';

/** What a finished start tells its user. */
export interface Launched {
  readonly run: RunFile;
  /** Of an empty park that waits for its first administrator. */
  readonly setupToken: string | undefined;
}

/** Brings up everything, in the order of need; what does not need each other runs side by side. */
export async function launch(context: Context, debs: Debs): Promise<Launched> {
  const { options, steps, home } = context;
  const port = await portalPort(options.port, options.host);
  if (options.natsUrl) await assertListens(options.natsUrl);
  const ports = await stablePorts(home.ports);
  const portal = aside(steps.step('portal', () => buildPortal(context.root, context.signal), builtOrNot));
  const natsServer = options.natsUrl ? undefined : aside(findNatsServer(debs, context.env, steps.detail));

  const database = await steps.step('database', () => openDatabase(context, debs, ports), describe);
  const sealing = await sealingKeys(join(home.secrets, 'sealing.keys'));
  const parkline = createParkline(context, { DATABASE_URL: database.url, SECRETS_KEY_FILE: sealing });
  await steps.step('migrations', () => parkline(['db', 'migrate']));
  await keepProfile(home.profile, options.park);
  const park = await openPark(context, parkline);
  const history = aside(fillHistory(context, parkline, park));
  const neighbour = aside(openNeighbour(context, parkline));
  const broker = await steps.step(
    'messages',
    () => openBroker(context, natsServer, ports, park),
    ({ url }) => url,
  );
  const gateways = aside(openGateways(context, parkline, park, { databaseUrl: database.url, broker }));
  const setupToken = await setupTokenOf(context, database);
  const cloud = { database, broker, port, portal: (await portal).folder, setupToken };
  await steps.step('cloud', () => runCloud(context, cloud));
  await Promise.all([gateways, history]);
  const beside = await neighbour;

  const run: RunFile = {
    url: `http://localhost:${port}`,
    pid: process.pid,
    ...(options.park !== undefined && { account: park.key }),
    users: [
      ...park.people.map(({ role, login, password }) => ({ role, login, password })),
      ...beside.people.map(({ role, login, password }) => ({ role, login, password, account: beside.key })),
    ],
    gateways: park.gateways.map(({ id, name, home: folder }) => ({ id, name, home: folder })),
    database: database.url,
    nats: broker.url,
  };
  await writeRunFile(home.runFile, run);
  // Nobody waits for last month's bills: they are stored while people log in.
  void fillBooks(context, parkline, park);
  return { run, setupToken };
}

const builtOrNot = ({ built }: { built: boolean }): string => (built ? 'built' : 'unchanged');
const describe = ({ description }: Database): string => description;

/** Work that is awaited later: a failure is reported there, and must not count as unhandled until then. */
function aside<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

function openDatabase(context: Context, debs: Debs, ports: Ports): Promise<Database> {
  const { databaseUrl } = context.options;
  return databaseUrl ? attachDatabase(databaseUrl) : runDatabase(context, debs, ports.postgres);
}

async function openBroker(
  context: Context,
  server: Promise<NatsServer> | undefined,
  ports: Ports,
  park: SeededPark,
): Promise<Broker> {
  const { options } = context;
  if (options.natsUrl) return attachBroker(context, options.natsUrl, park.gateways);
  if (!server) throw new Error('no message server was looked for');
  return runBroker(context, await server, ports);
}

/** The simulated park, or an empty one. */
async function openPark(context: Context, parkline: Parkline): Promise<SeededPark> {
  const { options, steps } = context;
  const file = options.park;
  if (file === undefined) return { key: '', gateways: [], people: [] };
  const [, park] = await Promise.all([
    steps.step('simulator', () => runSimulator(context, file)),
    steps.step(
      'park',
      () => seedPark(context, parkline, file),
      ({ gateways }) => `${gateways.length} gateways`,
    ),
  ]);
  return park;
}

async function openGateways(
  context: Context,
  parkline: Parkline,
  { key: account, gateways }: SeededPark,
  urls: Pick<GatewayPeers, 'databaseUrl' | 'broker'>,
): Promise<void> {
  if (gateways.length === 0) return;
  const peers = { ...urls, account, cloudKey: await cloudKey(context) };
  await context.steps.step('gateways', () =>
    Promise.all(
      gateways.map(async (gateway) => {
        await configureGateway(context, parkline, gateway, peers);
        await runGateway(context, gateway);
      }),
    ),
  );
}

async function fillHistory(
  context: Context,
  parkline: Parkline,
  { key: account }: SeededPark,
): Promise<void> {
  const { park, historyMonths: months } = context.options;
  if (park === undefined || months === 0) return;
  await context.steps.step(
    'history',
    () => importHistory(context, parkline, { park, account, months, folder: context.home.history }),
    (done) => (done ? 'imported' : 'kept'),
  );
}

/** Bills belong to the demo park; a failure is told and costs nobody the start. */
async function fillBooks(context: Context, parkline: Parkline, { key }: SeededPark): Promise<void> {
  if (context.options.neighbour === undefined) return;
  try {
    await openBooks(context, parkline, key);
  } catch (error) {
    if (!context.signal.aborted) context.steps.say(`the bills of the demo were not stored: ${String(error)}`);
  }
}

/** Nobody looks at its past for long. */
const NEIGHBOUR_MONTHS = 2;

/** A second operator's park, beside the demo park. */
async function openNeighbour(
  context: Context,
  parkline: Parkline,
): Promise<Pick<SeededPark, 'key' | 'people'>> {
  const { neighbour: park, historyMonths } = context.options;
  if (park === undefined) return { key: '', people: [] };
  return context.steps.step(
    'neighbour',
    async () => {
      const seeded = await seedNeighbour(context, parkline, park);
      const months = Math.min(historyMonths, NEIGHBOUR_MONTHS);
      const folder = join(context.home.history, seeded.key);
      await importHistory(context, parkline, { park, account: seeded.key, months, folder });
      return seeded;
    },
    ({ key }) => key,
  );
}

/** The token stays the same until it was used; the server knows its hash alone. */
async function setupTokenOf({ options, home }: Context, database: Database): Promise<string | undefined> {
  if (options.park !== undefined) return undefined;
  const [row] = await query<{ needed: boolean }>(database.url, 'select setup_needed() as needed');
  if (!row?.needed) return undefined;
  return (await readOrMake(join(home.secrets, 'setup-token'), newToken)).trim();
}
