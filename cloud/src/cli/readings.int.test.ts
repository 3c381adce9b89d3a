import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, expect, test } from 'vitest';
import { clonedDatabase } from '../platform/testing.ts';
import { givenPark } from '../telemetry/testing.ts';
import { register } from './readings.ts';

const database = await clonedDatabase();
const owner = database.pool();
const cwd = await mkdtemp(join(tmpdir(), 'parkline-readings-'));
const code = process.exitCode;
afterEach(() => {
  process.exitCode = code; // A refused import sets it, and this is the test's own process.
});
afterAll(() => rm(cwd, { recursive: true }));

/** Runs `parkline readings import` on this text. */
async function importing(text: string, ...options: string[]) {
  await writeFile(join(cwd, 'meters.csv'), text);
  const printed = { out: '', err: '' };
  const io = {
    out: (part: string) => void (printed.out += part),
    err: (part: string) => void (printed.err += part),
    env: { DATABASE_URL: database.url },
    cwd,
  };
  const program = new Command('parkline').exitOverride();
  register(program, io);
  await program.parseAsync(['readings', 'import', 'meters.csv', ...options], { from: 'user' });
  return { ...printed, exitCode: process.exitCode };
}

const rows = 'meter,ts,register\nm-0-0,2026-11-20T00:00:00Z,1.00\nm-0-0,2026-11-20T00:15:00Z,1.25\n';

test('says that there is nothing to import into', async () => {
  await expect(importing(rows)).rejects.toThrow('no account has meters');
});

test('stores readings once, and only counts them in a dry run', async () => {
  await givenPark(owner);
  const said = async (...options: string[]) => (await importing(rows, ...options)).out;
  expect(await said('--dry-run')).toBe('2 readings would be stored, 0 were there already\n');
  expect(await said()).toBe('2 readings stored, 0 were there already\n');
  expect(await said()).toBe('0 readings stored, 2 were there already\n');
  expect(JSON.parse(await said('--json'))).toMatchObject({
    importId: null,
    inserted: 0,
    unchanged: 2,
    dryRun: false,
  });
});

test('tells each bad row on standard error and ends with 1', async () => {
  const { out, err, exitCode } = await importing(`${rows}m-0-0,2026-11-20T00:30:00Z,1.2\nm-7,x,y\n`);
  expect([out, exitCode]).toEqual(['nothing stored\n', 1]);
  expect(err).toContain('meters.csv, row 5, meter: is not known: m-7\n');
});

test('wants the account named where there are several', async () => {
  await givenPark(owner);
  await expect(importing(rows)).rejects.toThrow(/several accounts: name one with --account \(a-.*, a-.*\)/);
  await expect(importing(rows, '--account', 'nobody')).rejects.toThrow('no account nobody with meters');
});
