import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { roles } from '@parkline/contract';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { query } from '../../deploy/local/postgres.ts';
import type { RunFile } from '../../deploy/local/run-file.ts';
import { login, scratchHome, until } from '../support/park.ts';

const root = join(import.meta.dirname, '../..');
/** The smallest park, without its past: a start of seconds. */
const quick = ['--park', 'firmware-sim/parks/small.yaml', '--history-months', '0'];

/** `npm start` as a user types it. */
interface Npm {
  readonly process: ChildProcess;
  output(): string;
  /** The exit code, or the signal that ended npm. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

const started = new Set<Npm>();
// A test that failed must not leave a park to the ones after it.
afterEach(async () => {
  for (const { process, ended } of started) {
    process.kill('SIGTERM');
    await ended;
  }
});

function npmStart(home: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Npm {
  const { DATABASE_URL: _database, NATS_URL: _nats, npm_lifecycle_event: _event, ...inherited } = process.env;
  const child = spawn('npm', ['start', '--', ...args], {
    cwd: root,
    env: { ...inherited, PORT: '0', PARKLINE_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  );
  const npm: Npm = { process: child, output: () => output, ended };
  started.add(npm);
  void ended.then(() => started.delete(npm));
  return npm;
}

async function untilReady(npm: Npm, home: string): Promise<RunFile> {
  await until(
    () => /^ready http/m.test(npm.output()) || npm.process.exitCode !== null,
    120_000,
    `ready; it said:\n${npm.output()}`,
  );
  expect(npm.output()).toMatch(/^ready http:\/\/localhost:\d+/m);
  return JSON.parse(await readFile(join(home, 'run.json'), 'utf8')) as RunFile;
}

/** Every process the start is made of: the starter and what it supervises. */
async function processesOf(home: string, run: RunFile): Promise<number[]> {
  const text = await readFile(join(home, 'processes.json'), 'utf8');
  return [run.pid, ...(JSON.parse(text) as { pid: number }[]).map(({ pid }) => pid)];
}

const living = (pids: readonly number[]): number[] => pids.filter((pid) => existsSync(`/proc/${pid}`));

/** Port of an address, for asking whether it still answers. */
const countReadings = async (run: RunFile): Promise<number> => {
  const [row] = await query<{ count: string }>(run.database, 'select count(*) from reading');
  return Number(row?.count);
};

describe('npm start', () => {
  let home: string;
  beforeAll(async () => {
    home = await scratchHome();
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  test('brings up a whole park, and SIGTERM to npm alone stops all of it', async () => {
    const npm = npmStart(home, quick);
    const run = await untilReady(npm, home);
    const pids = await processesOf(home, run);
    expect(pids).toHaveLength(9);
    // Everybody but the tenant's own people: this park has no tenants.
    expect(run.users.map(({ role }) => role).sort()).toEqual([
      'account_admin',
      'executive',
      'facility_engineer',
      'finance_officer',
      'guard',
      'installer',
      'leasing_officer',
      'supervisor',
      'technician',
      'technician',
    ]);
    for (const left of ['tenant', 'employee'])
      expect(npm.output()).toContain(`${left} is left out: this park has no tenant aurora`);
    expect((await fetch(`${run.url}/readyz`)).status).toBe(200);
    await until(async () => (await countReadings(run)) > 0, 30_000, 'readings are stored');

    npm.process.kill('SIGTERM');
    await until(() => living(pids).length === 0, 10_000, 'everything has stopped');
    await npm.ended;
    expect(existsSync(join(home, 'run.json'))).toBe(false);
  });

  test('keeps data, keys and passwords over a second start, which kill -9 of the starter ends as well', async () => {
    const npm = npmStart(home, quick);
    const run = await untilReady(npm, home);
    const before = await countReadings(run);
    expect(before).toBeGreaterThan(0);
    const [counts] = await query<{ people: string; gateways: string }>(
      run.database,
      'select (select count(*) from person) as people, (select count(*) from gateway) as gateways',
    );
    expect(counts).toEqual({ people: '10', gateways: '1' });
    await until(async () => (await countReadings(run)) > before, 30_000, 'new readings are added');

    const pids = await processesOf(home, run);
    process.kill(run.pid, 'SIGKILL');
    await until(() => living(pids).length === 0, 15_000, 'everything is gone');
    await npm.ended;
  });

  test('a start right after kill -9 waits for what is still stopping; a second one on the same home is refused', async () => {
    const npm = npmStart(home, quick);
    const run = await untilReady(npm, home);
    const other = npmStart(home, quick);
    expect(await other.ended).toBe(1);
    expect(other.output()).toContain(`already runs in ${home} at ${run.url}`);
    expect((await fetch(`${run.url}/readyz`)).status).toBe(200);

    const pids = await processesOf(home, run);
    process.kill(run.pid, 'SIGKILL');
    const next = npmStart(home, quick);
    const again = await untilReady(next, home);
    expect(living(pids)).toEqual([]);
    expect(again.users).toEqual(run.users);
    next.process.kill('SIGTERM');
    await next.ended;
  });

  test('SIGKILL to npm, who cannot pass it on, stops everything too', async () => {
    const npm = npmStart(home, quick);
    const run = await untilReady(npm, home);
    const pids = await processesOf(home, run);
    npm.process.kill('SIGKILL');
    await until(() => living(pids).length === 0, 15_000, 'everything is gone');
  });

  test('services that are killed come back', async () => {
    const npm = npmStart(home, quick);
    const run = await untilReady(npm, home);
    const [, ...services] = await processesOf(home, run);
    for (const pid of services) process.kill(pid, 'SIGKILL');
    await until(
      async () =>
        (await processesOf(home, run)).slice(1).filter((pid) => !services.includes(pid)).length ===
        services.length,
      60_000,
      'every service runs again',
    );
    await until(
      async () => (await fetch(`${run.url}/readyz`).catch(() => undefined))?.status === 200,
      30_000,
      'the API is ready',
    );
    const before = await countReadings(run);
    await until(async () => (await countReadings(run)) > before, 60_000, 'readings flow again');
    npm.process.kill('SIGTERM');
    await npm.ended;
    expect(npm.output()).toContain('postgres is back');
  });
});

describe('npm start, the demo park', () => {
  test('has a person of every role and a second operator, whose people see their own park only', async () => {
    const home = await scratchHome();
    const npm = npmStart(home, ['--history-months', '0']);
    const run = await untilReady(npm, home);
    expect([...new Set(run.users.map(({ role }) => role))].sort()).toEqual([...roles].sort());
    expect(run.account).toBe('demo');

    const ask = async <T>(role: string, account: string | undefined, path: string): Promise<T> => {
      const get = await login(run, role, account);
      return (await get(path)).json() as Promise<T>;
    };
    const keys = [
      '/api/places',
      '/api/equipment',
      '/api/points',
      '/api/spaces',
      '/api/tenants',
      '/api/leases',
    ];
    for (const path of keys) {
      const ours = JSON.stringify(await ask('account_admin', undefined, path));
      const theirs = JSON.stringify(await ask('account_admin', 'riverside', path));
      const ids = (text: string) => text.match(/[0-9a-f]{8}-[0-9a-f-]{27}/g) ?? [];
      expect([path, ids(theirs).length > 0, ids(ours).length > 0]).toEqual([path, true, true]);
      expect(ids(ours).filter((id) => theirs.includes(id))).toEqual([]);
    }
    interface Named {
      items: { name: string }[];
    }
    const spaces = await ask<Named>('tenant_admin', undefined, '/api/spaces');
    expect(spaces.items.map(({ name }) => name)).toEqual(['Unit 301', 'Unit 302']);
    const [other] = (await ask<{ items: { id: string }[] }>('account_admin', 'riverside', '/api/points'))
      .items;
    const engineer = await login(run);
    const { search } = new URL('http://x/?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z');
    expect((await engineer(`/api/points/${other?.id}/history${search}`)).status).toBe(404);

    npm.process.kill('SIGTERM');
    await npm.ended;
    await rm(home, { recursive: true, force: true });
  });
});

describe('npm start -- --no-demo', () => {
  test('starts an empty park whose first administrator is made with a one-time token', async () => {
    const home = await scratchHome();
    const npm = npmStart(home, ['--no-demo']);
    const run = await untilReady(npm, home);
    expect(run).toMatchObject({ users: [], gateways: [] });
    const token = /one-time token: (\S+)/.exec(npm.output())?.[1];
    expect(token).toBeDefined();

    const setup = (body: object): Promise<Response> =>
      fetch(`${run.url}/api/setup`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ login: 'first', name: 'First', password: 'correct horse battery', ...body }),
      });
    expect((await setup({ token: 'wrong' })).ok).toBe(false);
    expect((await setup({ token })).ok).toBe(true);
    expect((await setup({ token, login: 'second' })).ok).toBe(false);

    npm.process.kill('SIGTERM');
    await npm.ended;
    const again = npmStart(home, ['--no-demo']);
    await untilReady(again, home);
    expect(again.output()).not.toContain('token');
    again.process.kill('SIGTERM');
    await again.ended;

    const demo = npmStart(home, quick);
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toContain('this home holds an empty park');
    await rm(home, { recursive: true, force: true });
  });
});

describe('npm start refuses, with one sentence and nothing left behind,', () => {
  async function refusal(
    env: Readonly<Record<string, string>>,
    args: readonly string[] = quick,
  ): Promise<string> {
    const home = await scratchHome();
    const npm = npmStart(home, args, env);
    expect(await npm.ended).toBe(1);
    expect(existsSync(join(home, 'run.json'))).toBe(false);
    const text = existsSync(join(home, 'processes.json'))
      ? await readFile(join(home, 'processes.json'), 'utf8')
      : '[]';
    expect(living((JSON.parse(text) as { pid: number }[]).map(({ pid }) => pid))).toEqual([]);
    await rm(home, { recursive: true, force: true });
    return npm.output();
  }

  test('a port that is in use', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    expect(await refusal({ PORT: String(port) })).toContain(`port ${port} is in use`);
    server.close();
  });

  test('a database that does not answer', async () => {
    const said = await refusal({ DATABASE_URL: 'postgres://me:hidden@127.0.0.1:1/park' });
    expect(said).toContain('the database of DATABASE_URL cannot be used');
    expect(said).not.toContain('hidden');
  });

  test('a message server that does not answer', async () => {
    expect(await refusal({ NATS_URL: 'nats://127.0.0.1:1' })).toContain(
      'the message server of NATS_URL cannot be reached',
    );
  });

  test('an option that does not exist', async () => {
    expect(await refusal({}, ['--demo'])).toContain('--demo');
  });

  test('a database that is newer than the code', async () => {
    const server = inject('postgresUrl');
    const name = `start_${process.pid}`;
    await query(server, `create database ${name}`);
    const url = new URL(server);
    url.pathname = `/${name}`;
    const home = await scratchHome();
    const first = npmStart(home, ['--no-demo'], { DATABASE_URL: url.href });
    await untilReady(first, home);
    first.process.kill('SIGTERM');
    await first.ended;

    await query(
      url.href,
      `insert into migration (name, timestamp) values ('9999_future_thing', now()::text)`,
    );
    const said = await refusal({ DATABASE_URL: url.href }, ['--no-demo']);
    expect(said).toMatch(/newer/);
    await rm(home, { recursive: true, force: true });
    await sleep(100);
    await query(server, `drop database ${name} with (force)`);
  });
});
