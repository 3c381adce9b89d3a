import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { afterAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { fixturePath } from '../points/testing.ts';
import type { Io } from './io.ts';
import { register } from './points.ts';

const program = fileURLToPath(new URL('../../../bin/parkline.js', import.meta.url));
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parkline-points-'));
  folders.push(folder);
  return folder;
}

interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs the command in this process, in a folder where there is no gateway. */
async function points(...args: string[]): Promise<Ran> {
  const ran = { status: 0, stdout: '', stderr: '' };
  const io: Io = {
    out: (text) => (ran.stdout += text),
    err: (text) => (ran.stderr += text),
    env: {},
    cwd: tmpdir(),
  };
  const output = { writeOut: io.out.bind(io), writeErr: io.err.bind(io) };
  const command = new Command('parkline').exitOverride().configureOutput(output);
  register(command, io);
  const before = process.exitCode;
  try {
    process.exitCode = 0;
    await command.parseAsync(['points', ...args], { from: 'user' });
    ran.status = Number(process.exitCode);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    ran.status = error instanceof CommanderError ? 2 : 1;
    ran.stderr += error.message;
  } finally {
    process.exitCode = before;
  }
  return ran;
}

const csv = (...rows: string[]): string => {
  const path = join(newFolder(), 'list.csv');
  writeFileSync(path, ['point,slave_id,register,address,type,unit', ...rows].join('\n'));
  return path;
};

describe('parkline points import --dry-run --json', () => {
  test.each([
    ['ede', 'ede/north_EDE.csv', 6],
    ['modbus', 'modbus/7M_24.yaml', 19],
    ['haystack', 'haystack/carytown.hayson.json', 18],
    ['brick', 'brick/main-and-submeter.ttl', 4],
  ])('%s needs no gateway, and prints nothing but the four keys', async (format, path, add) => {
    const { status, stdout, stderr } = await points('import', fixturePath(path), '--format', format, '--dry-run', '--json');
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toStrictEqual({ add, change: 0, unchanged: 0, errors: [] });
  });

  test('is 3 when some rows have faults, 1 when nothing is of use, 2 when it is called wrongly', async () => {
    const some = await points('import', csv('a,1,holding,1,u16,V', 'b,1,holding,x,u16,V'), '--format', 'modbus', '--dry-run', '--json');
    expect(some.status).toBe(3);
    expect(JSON.parse(some.stdout)).toStrictEqual({
      add: 1,
      change: 0,
      unchanged: 0,
      errors: [{ row: 3, field: 'address', message: "'x' is not a register number" }],
    });
    for (const path of ['/no/such/file', fixturePath('brick/LICENSE')]) {
      const none = await points('import', path, '--format', 'ede', '--dry-run', '--json');
      expect([none.status, JSON.parse(none.stdout)]).toMatchObject([1, { add: 0, errors: [{ message: expect.any(String) as string }] }]);
    }
    expect(await points('import', 'x', '--format', 'xlsx', '--dry-run')).toMatchObject({ status: 2, stdout: '' });
    expect((await points('import', 'x', '--dry-run')).status).toBe(2);
  });
}); // prettier-ignore

test('the installed command has the noun', () => {
  const args = [
    program,
    'points',
    'import',
    fixturePath('ede/north_EDE.csv'),
    '--format',
    'ede',
    '--dry-run',
    '--json',
  ];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: tmpdir() });
  expect([status, JSON.parse(stdout)]).toEqual([0, { add: 6, change: 0, unchanged: 0, errors: [] }]);
});

test('the whole life of a list: look, take over, again, change, undo, apply', async () => {
  const home = newFolder();
  const at = ['--home', home];
  const first = csv('a,1,holding,1,u16,V', 'b,1,holding,2,u16,V');
  const asked = await points('import', first, '--format', 'modbus', ...at);
  expect(asked).toMatchObject({ status: 1, stderr: expect.stringContaining('say --yes') as string });
  expect(await points('list', ...at)).toMatchObject({ status: 1, stdout: '' });
  const run = async (path: string): Promise<unknown> => JSON.parse((await points('import', path, '--format', 'modbus', '--yes', '--json', ...at)).stdout);
  expect(await run(first)).toEqual({ add: 2, change: 0, unchanged: 0, errors: [], batch: 1 });
  expect(await run(first)).toEqual({ add: 0, change: 0, unchanged: 2, errors: [], batch: null });
  const before = (await points('list', '--json', ...at)).stdout;

  const second = csv('a,1,holding,1,u16,V', 'b,1,holding,20,u16,kW', 'c,2,input,3,f32,A');
  const look = await points('import', second, '--format', 'modbus', '--dry-run', ...at);
  expect(look.stdout).toMatch(/3 +change +b +hr:20:u16 +address, unit, sourceUnit/);
  expect((await points('list', '--json', ...at)).stdout).toBe(before);
  expect(await run(second)).toMatchObject({ add: 1, change: 1, unchanged: 1, batch: 2 });
  expect(await points('undo', '1', ...at)).toMatchObject({ status: 1, stderr: expect.stringContaining('later imports (2)') as string });
  expect((await points('undo', '2', ...at)).status).toBe(0);
  expect((await points('list', '--json', ...at)).stdout).toBe(before);
  expect((await points('batches', ...at)).stdout.split('\n')).toHaveLength(4);

  const config = join(home, 'gateway.yaml');
  const merged = join(home, 'merged.yaml');
  writeFileSync(config, `version: 1\ngatewayId: 018f0000-0000-7000-8000-000000000001\nname: g\nnats: { url: nats://h }\nconnections: [{ id: bus, driver: modbus, devices: [] }]\n`);
  expect(await points('apply', '--connection', 'bus', '--out', merged, ...at)).toMatchObject({ status: 0, stdout: '' });
  expect(parseConfig(readFileSync(merged, 'utf8')).connections[0]?.devices[0]?.points).toHaveLength(2);
}, 60_000); // prettier-ignore

test('a device without an end is no endless wait', async () => {
  const { stdout, status } = await points('import', '/dev/zero', '--format', 'ede', '--dry-run', '--json');
  expect([JSON.parse(stdout), status]).toMatchObject([
    { errors: [{ message: expect.stringMatching(/larger than 64 MiB/) as string }] },
    1,
  ]);
});
