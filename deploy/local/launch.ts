import { join } from 'node:path';
import { attachBroker, type Broker, runBroker } from './broker.ts';
import { cloudKey, runCloud } from './cloud.ts';
import type { Context } from './context.ts';
import { attachDatabase, type Database, runDatabase } from './database.ts';
import type { Debs } from './debs.ts';
import { readOrMake } from './files.ts';
import { newToken } from './keys.ts';
import { findNatsServer, type NatsServer } from './nats-server.ts';
import {
  configureGateway,
  importHistory,
  runGateway,
  runSimulator,
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
  const ports = await stablePorts(home.ports);
  const portal = steps.step(
    'portal',
    () => buildPortal(context.root, context.signal),
    ({ built }) => (built ? 'built' : 'unchanged'),
  );
  // Awaited later: a failure is reported there, and must not count as unhandled until then.
  portal.catch(() => undefined);
  const natsServer = options.natsUrl
    ? undefined
    : findNatsServer(debs, context.env, (text) => steps.say(`  ${text}`));
  natsServer?.catch(() => undefined);

  const database = await steps.step(
    'database',
    () => openDatabase(context, debs, ports),
    (it) => it.description,
  );
  const parkline = createParkline(context.root, { DATABASE_URL: database.url }, context.signal);
  await steps.step('migrations', () => parkline(['db', 'migrate']));
  await keepProfile(home.profile, options.park);
  const park = await openPark(context, parkline);
  const broker = await steps.step(
    'messages',
    () => openBroker(context, natsServer, ports, park),
    ({ url }) => url,
  );
  const setupToken = await setupTokenOf(context, database);
  const folder = (await portal).folder;
  await steps.step('cloud', () => runCloud(context, { database, broker, port, portal: folder, setupToken }));
  await runPark(context, parkline, park, broker);

  const run: RunFile = {
    url: `http://localhost:${port}`,
    pid: process.pid,
    users: park.people.map(({ role, login, password }) => ({ role, login, password })),
    gateways: park.gateways.map(({ id, name, home: folder }) => ({ id, name, home: folder })),
    database: database.url,
    nats: broker.url,
  };
  await writeRunFile(home.runFile, run);
  return { run, setupToken };
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
  return runBroker(context, await server, ports, park.gateways);
}

/** The simulated park, or an empty one. */
async function openPark(context: Context, parkline: Parkline): Promise<SeededPark> {
  const { options, steps } = context;
  const file = options.park;
  if (file === undefined) return { gateways: [], people: [] };
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

async function runPark(
  context: Context,
  parkline: Parkline,
  park: SeededPark,
  broker: Broker,
): Promise<void> {
  const { options, steps } = context;
  const file = options.park;
  if (file === undefined) return;
  const key = await cloudKey(context);
  await steps.step('gateways', async () => {
    for (const gateway of park.gateways) await configureGateway(context, parkline, gateway, key, broker.url);
    await Promise.all(park.gateways.map((gateway) => runGateway(context, gateway)));
  });
  await steps.step(
    'history',
    () => importHistory(context, parkline, file),
    (done) => (done ? 'imported' : 'kept'),
  );
}

/** The token stays the same until it was used; the server knows its hash alone. */
async function setupTokenOf({ options, home }: Context, database: Database): Promise<string | undefined> {
  if (options.park !== undefined) return undefined;
  const [row] = await query<{ needed: boolean }>(database.url, 'select setup_needed() as needed');
  if (!row?.needed) return undefined;
  return (await readOrMake(join(home.secrets, 'setup-token'), newToken)).trim();
}
