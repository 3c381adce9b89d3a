import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smallPark } from '../fleet/testing.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { register as billing } from './billing.ts';
import { register as park } from './park.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const golden = join(root, 'tests/fixtures/billing-2026-10');
const { url, pool } = await clonedDatabase();
const owner = pool();
const cwd = await mkdtemp(join(tmpdir(), 'parkline-books-'));
afterAll(() => rm(cwd, { recursive: true }));
const file = async (name: string, content: unknown) => {
  await writeFile(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content));
  return name;
};

/** Runs one command as bin/parkline.js does and returns what it printed. */
async function parkline(...args: string[]): Promise<string> {
  let printed = '';
  const io = {
    out: (text: string) => void (printed += text),
    err: () => undefined,
    env: { DATABASE_URL: url },
    cwd,
  };
  const program = new Command('parkline').exitOverride().configureOutput({ writeErr: () => undefined });
  for (const register of [park, billing]) register(program, io);
  await program.parseAsync(args, { from: 'user' });
  return printed;
}
const count = async (table: string) =>
  Number((await owner.query<{ n: string }>(`select count(*) as n from ${table}`)).rows[0]!.n);

beforeAll(async () => {
  await parkline('park', 'seed', await file('park.yaml', smallPark));
});

describe('billing run', () => {
  test('without --store it computes, says so and writes nothing', async () => {
    expect(await parkline('billing', 'run', golden)).toBe(
      '2026-10-01 .. 2026-11-01  5 statements  97034.43 CNY\nnothing stored: add --store\n',
    );
    expect(await count('billing_run')).toBe(0);
  });

  test('stores once, locks once, and another multiplier is another run', async () => {
    const own = ['--account', 'small', '--json'];
    const run = async (...more: string[]) =>
      JSON.parse(await parkline('billing', 'run', golden, ...own, ...more));
    const first = await run('--store');
    expect(first).toMatchObject({ total: '97034.43', state: 'draft', known: false, id: expect.any(String) });
    const again = await run('--store', '--lock');
    expect(again).toMatchObject({ id: first.id, inputsHash: first.inputsHash, state: 'locked', known: true });
    expect(await run('--store', '--lock')).toEqual(again);
    const wrong = await run('--store', '--multiplier', '4-new=15');
    expect(wrong).toMatchObject({ total: '97034.43', state: 'draft', known: false });
    expect(await count('billing_run')).toBe(2);
    expect(await count('statement')).toBe(10);
    expect(await count('billing_interval')).toBe(2 * 9 * 2_976);
  });

  test.each([
    [['--lock'], '--lock goes with --store'],
    [['--store'], 'name the account with --account KEY'],
    [['--store', '--account', 'nobody'], 'there is no account nobody'],
  ])('refuses %j', async (options, message) => {
    await expect(parkline('billing', 'run', golden, ...options)).rejects.toThrow(message);
  });

  test('tells the faults of a folder and stores nothing of it', async () => {
    const before = await count('billing_run');
    await expect(parkline('billing', 'run', cwd, '--store', '--account', 'small')).rejects.toThrow(
      'scenario.json: there is no such file\nreadings.csv.gz: there is no such file',
    );
    expect(await count('billing_run')).toBe(before);
  });
});

describe('billing tariff', () => {
  const add = (name: string) => parkline('billing', 'tariff', name, '--account', 'small');
  const demo = async () =>
    JSON.parse(await readFile(join(root, 'deploy/local/demo-tariff.json'), 'utf8')) as Record<
      string,
      unknown
    >;

  test('keeps the tariff of the demo once, and a further version beside it', async () => {
    const name = await file('tariff.json', await demo());
    expect(await add(name)).toBe('harbour-electricity from 2020-01-01: stored\n');
    expect(await add(name)).toBe('harbour-electricity from 2020-01-01: known\n');
    const later = await file('later.json', { ...(await demo()), from: '2027-01-01' });
    expect(await add(later)).toBe('harbour-electricity from 2027-01-01: stored\n');
    expect(await count('tariff_version')).toBe(2);
  });

  test('never changes a version', async () => {
    const other = await file('other.json', { ...(await demo()), holidays: [] });
    await expect(add(other)).rejects.toThrow('another version from 2020-01-01: it stays');
  });

  test.each([
    [{ site: 'elsewhere' }, 'there is no site elsewhere'],
    [{ commodity: 'gas' }, '/commodity'],
    [{ from: '2026-02-30' }, '/from'],
    [{ from: '2019-01-01' }, 'tariff.versions has no prices on 2019-01-01'],
    [{ holidays: ['soon'] }, 'holidays[0] must be a date'],
    [{ tariff: {} }, 'tariff.vat_rate is missing'],
  ])('refuses %j', async (change, message) => {
    const name = await file('wrong.json', { ...(await demo()), key: 'wrong', ...change });
    await expect(add(name)).rejects.toThrow(message);
  });
});
