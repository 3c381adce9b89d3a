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
  return parkline('readings', 'import', 'meters.csv', ...options);
}

async function parkline(...args: string[]) {
  const printed = { out: '', err: '' };
  const io = {
    out: (part: string) => void (printed.out += part),
    err: (part: string) => void (printed.err += part),
    env: { DATABASE_URL: database.url },
    cwd,
  };
  const program = new Command('parkline').exitOverride().configureOutput({ writeErr: io.err });
  register(program, io);
  await program.parseAsync(args, { from: 'user' });
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
  expect(err).toContain('4 rows checked, 2 faults\n');
  expect(err).toContain('meters.csv, row 4, register: runs backwards: 1.2 after 1.25 (row 3); if the');
  expect(err).toContain('meters.csv, row 5, meter: is not known: m-7; known are m-0-0, m-0-1\n');
});

test('counts one of a kind as one', async () => {
  const one = 'meter,ts,register\nm-0-1,2026-11-20T00:00:00Z,9.00\n';
  expect(await importing(one)).toMatchObject({
    out: '1 reading stored, 0 were there already\n',
    err: '1 row checked, 0 faults\n',
  });
  expect((await importing(one)).out).toBe('0 readings stored, 1 was there already\n');
  expect((await importing(one.replace('9.00', 'x'))).err).toContain('1 row checked, 1 fault\n');
});

test('takes a register round only where it was told that it rolls over', async () => {
  const round = 'meter,ts,register\nm-0-1,2026-11-20T01:00:00Z,9.50\nm-0-1,2026-11-20T02:00:00Z,0.25\n';
  expect((await importing(round)).exitCode).toBe(1);
  process.exitCode = code;
  expect((await importing(round, '--rollover', 'm-0-0=99', '--rollover', 'm-0-1=10')).out).toBe(
    '2 readings stored, 0 were there already\n',
  );
});

test.each(['m-0-1', 'm-0-1=', 'm-0-1=0', 'm-0-1=-5', '=5'])('refuses --rollover %s', async (text) => {
  await expect(importing(rows, '--rollover', text)).rejects.toThrow('Write METER=VALUE');
});

test('lists the meters with what they showed last', async () => {
  const { out } = await parkline('readings', 'meters');
  expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['KEY', 'NAME', 'UNIT', 'TEMPLATE', 'REGISTER', 'AT'],
    ['m-0-0', 'Meter 0', 'kWh', 'three-phase-meter/test', '1.25', '2026-11-20T00:15:00.000Z'],
    ['m-0-1', 'Meter 1', 'kWh', 'three-phase-meter/test', '0.25', '2026-11-20T02:00:00.000Z'],
    [''],
  ]);
  expect(JSON.parse((await parkline('readings', 'meters', '--json')).out)[1]).toEqual({
    key: 'm-0-1',
    name: { en: 'Meter 1', zh: '电表 1' },
    unit: 'kWh',
    template: 'three-phase-meter/test',
    register: 0.25,
    at: '2026-11-20T02:00:00.000Z',
  });
});

test('wants the account named where there are several', async () => {
  await givenPark(owner);
  await expect(importing(rows)).rejects.toThrow(/several accounts: name one with --account \(a-.*, a-.*\)/);
  await expect(importing(rows, '--account', 'nobody')).rejects.toThrow('no account nobody with meters');
});
