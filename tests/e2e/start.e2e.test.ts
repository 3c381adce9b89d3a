import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from '../../deploy/local/postgres.ts';
import type { RunFile } from '../../deploy/local/run-file.ts';
import { scratchHome, until } from '../support/park.ts';
import { endWhatStarted, living, npmStart, processesOf, quick, untilReady } from './npm-start.ts';

endWhatStarted();

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
