import type { TestProject } from 'vitest/node';
import { createDebs } from '../../deploy/local/debs.ts';
import { cacheFolder } from '../../deploy/local/machine.ts';
import { findNatsServer } from '../../deploy/local/nats-server.ts';
import { findPostgres } from '../../deploy/local/postgres-files.ts';
import { query, startThrowAway, type ThrowAwayServer } from '../../deploy/local/postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser's address of a fast server that this run throws away. Clone a database of your own. */
    postgresUrl: string;
    /** How the reading table is kept in this run. */
    storage: 'plain' | 'timescale';
    /** Path of nats-server. */
    natsServer: string;
  }
}

let server: ThrowAwayServer | undefined;

/** One PostgreSQL and one nats-server program for all test files of a project. */
export async function setup(project: TestProject): Promise<void> {
  const cache = cacheFolder(process.env);
  const debs = createDebs({ cache, env: process.env, notice });
  try {
    const nats = await findNatsServer(debs, process.env, notice);
    project.provide('natsServer', nats.path);
    const wanted = process.env['TEST_DATABASE_URL'];
    server = wanted ? undefined : await startThrowAway(await findPostgres(debs, cache, notice));
    const url = wanted ?? server?.url ?? '';
    project.provide('postgresUrl', url);
    project.provide('storage', project.name === 'int-native' ? 'plain' : await storageOf(url));
  } finally {
    await debs.close();
  }
}

export async function teardown(): Promise<void> {
  await server?.stop();
}

async function storageOf(url: string): Promise<'plain' | 'timescale'> {
  const found = await query(url, `select from pg_available_extensions where name = 'timescaledb'`);
  if (found.length > 0) return 'timescale';
  const fault = 'TimescaleDB is not available: what needs it runs on native partitions instead';
  if (process.env['REQUIRE_TIMESCALE'] === '1') throw new Error(fault);
  notice(fault);
  return 'plain';
}

function notice(text: string): void {
  process.stderr.write(`services: ${text}\n`);
}
