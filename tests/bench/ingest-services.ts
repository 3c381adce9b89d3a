import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import pg from 'pg';
import { enableTimescale, migrate } from '../../cloud/src/platform/migrate.ts';
import { createRows, type Rows } from '../../cloud/src/telemetry/sample.ts';
import { storageMode } from '../../cloud/src/telemetry/storage.ts';
import { givenPark, type TestGateway } from '../../cloud/src/telemetry/testing.ts';
import { ended, start } from '../../deploy/local/command.ts';
import { createDebs } from '../../deploy/local/debs.ts';
import { cacheFolder, freePort, scratchFolder } from '../../deploy/local/machine.ts';
import { findNatsServer } from '../../deploy/local/nats-server.ts';
import { findPostgres, type PostgresFiles } from '../../deploy/local/postgres-files.ts';
import {
  type Cluster,
  clusterUrl,
  createCluster,
  newPassword,
  postgresCommand,
  untilDatabaseAnswers,
} from '../../deploy/local/postgres.ts';
import { byCreds, startNats } from '../support/nats.ts';
import { childRunning } from './cpu.ts';
import { MissingPeer } from './report.ts';

/** Real servers with durable settings, the ingest process of the product, and one gateway. */
export interface BenchServices {
  readonly gateway: TestGateway;
  readonly nats: NatsConnection;
  readonly natsUrl: string;
  /** Of the gateway, when it was given a key. */
  readonly natsJwt: string | undefined;
  /** What the cloud's receipts are signed with. */
  readonly cloudKey: KeyObject;
  /** The owner's. */
  readonly pool: pg.Pool;
  readonly ingest: ChildProcess;
  readonly pids: { readonly postgres: number; readonly nats: number; readonly ingest: number };
  readonly storage: string;
  readonly versions: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

interface Options {
  readonly points: number;
  /** Public nkey of the gateway, where it dials in itself. */
  readonly gatewayNkey?: string;
  readonly notice: (text: string) => void;
}

/** @throws MissingPeer when PostgreSQL or nats-server cannot be had. */
export async function startServices({ points, gatewayNkey, notice }: Options): Promise<BenchServices> {
  const programs = await findPrograms(notice);
  const folder = await mkdtemp(join(scratchFolder(), 'parkline-bench-'));
  const database = await startPostgres(programs.postgres);
  await enableTimescale(database.url);
  await migrate(database.url);
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  const [gateway] = (await givenPark(pool, { meters: points / 2 })).gateways;
  const gateways = gatewayNkey === undefined ? [] : [{ id: gateway!.id, publicNkey: gatewayNkey }];
  const server = await startNats({ gateways, program: programs.nats.path });
  const cloud = generateKeyPairSync('ed25519');
  const authenticator = byCreds(server.coreCreds);
  const nats = await connect({ servers: server.url, authenticator });
  const ingest = await startIngest(folder, {
    database: database.url,
    nats: server.url,
    credsDir: server.credsDir,
    key: cloud.privateKey,
  });
  const { rows } = await pool.query<{ server_version: string }>('show server_version');
  return {
    gateway: gateway!,
    nats,
    natsUrl: server.url,
    natsJwt: server.gatewayJwts.get(gateway!.id),
    cloudKey: cloud.publicKey,
    pool,
    ingest,
    pids: { postgres: database.pid, nats: childRunning('nats-server'), ingest: ingest.pid! },
    storage: await storageMode(pool),
    versions: { node: process.version, postgres: rows[0]!.server_version, nats: programs.nats.version },
    async stop() {
      ingest.kill('SIGTERM');
      await ended(ingest);
      await nats.close();
      await server.stop();
      await pool.end();
      await database.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function findPrograms(notice: (text: string) => void) {
  const cache = cacheFolder(process.env);
  const debs = createDebs({ cache, env: process.env, notice });
  try {
    return {
      nats: await findNatsServer(debs, process.env, notice),
      postgres: await findPostgres(debs, cache, notice),
    };
  } catch (cause) {
    throw new MissingPeer(`no database or message server: ${(cause as Error).message}`, { cause });
  } finally {
    await debs.close();
  }
}

/** With the durable settings of `npm start`, in a folder that is thrown away. */
export async function startPostgres(files: PostgresFiles) {
  const folder = await mkdtemp(join(scratchFolder(), 'parkline-pg-'));
  const cluster: Cluster = { folder, port: await freePort(), password: newPassword() };
  await createCluster(files, cluster, true);
  const child = start(postgresCommand(files, cluster, true));
  child.stdout?.resume();
  child.stderr?.resume();
  const url = clusterUrl(cluster);
  await untilDatabaseAnswers(url, 20_000);
  return {
    url,
    pid: child.pid!,
    async stop() {
      child.kill('SIGINT');
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startIngest(
  folder: string,
  { database, nats, credsDir, key }: { database: string; nats: string; credsDir: string; key: KeyObject },
) {
  const keyFile = join(folder, 'cloud.pem');
  await writeFile(keyFile, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const program = join(import.meta.dirname, '../../cloud/src/main.ts');
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ROLE: 'ingest',
      DATABASE_URL: database,
      NATS_URL: nats,
      NATS_CREDS_DIR: credsDir,
      CLOUD_KEY_FILE: keyFile,
      LOG_LEVEL: 'info',
    },
  });
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<void>((resolve) => {
    lines.on('line', (line) => line.includes('"msg":"ingest started"') && resolve());
  });
  await Promise.race([
    ready,
    once(child, 'exit').then(() => Promise.reject(new Error('ingest did not start'))),
  ]);
  return child;
}

/** Samples as rows of the reading table. */
export function encodeRows(
  { points }: TestGateway,
  samples: readonly (readonly [number, number, number])[],
): Rows {
  const rows = createRows(samples.length);
  samples.forEach(([p, at, value], i) => {
    rows.num[i] = points[p]!.num;
    rows.at[i] = at;
    rows.value[i] = value;
  });
  return rows;
}
