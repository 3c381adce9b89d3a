import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { migrate, readMigrations } from './migrate.ts';
import { emptyDatabase } from './testing.ts';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parkline-migrations-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as unknown[];
  } finally {
    await client.end();
  }
}

const first = { '0001_x_a.sql': 'create table a (n int); insert into a values (1);' };
const second = { ...first, '0002_x_b.sql': 'alter table a add b text;' };

test('runs what is new, in order, once', async () => {
  const url = await emptyDatabase();
  expect(await migrate(url, await folderOf(first))).toEqual(['0001_x_a']);
  expect(await migrate(url, await folderOf(second))).toEqual(['0002_x_b']);
  expect(await migrate(url, await folderOf(second))).toEqual([]);
  expect(await query(url, 'select * from a')).toEqual([{ n: 1, b: null }]);
});

test('two at once wait for each other', async () => {
  const [url, folder] = [await emptyDatabase(), await folderOf(second)];
  const ran = await Promise.all([migrate(url, folder), migrate(url, folder), migrate(url, folder)]);
  expect(ran.flat()).toEqual(['0001_x_a', '0002_x_b']);
});

test('a database that newer code migrated is refused by name and left alone', async () => {
  const url = await emptyDatabase();
  await migrate(url, await folderOf(second));
  await expect(migrate(url, await folderOf(first))).rejects.toMatchObject({
    code: 'newer',
    message: 'the database is newer than this code: it already has migration 0002_x_b',
  });
});

test('a file that comes before one that ran is refused by name and nothing changes', async () => {
  const url = await emptyDatabase();
  await migrate(url, await folderOf(second));
  const between = await folderOf({ ...second, '0001_x_between.sql': 'create table between_them (n int)' });
  await expect(migrate(url, between)).rejects.toMatchObject({
    code: 'failed',
    message: expect.stringContaining('migration 0001_x_between would come before 0002_x_b') as string,
  });
  expect(await query(url, `select to_regclass('between_them') as made`)).toEqual([{ made: null }]);
});

test('a file that fails leaves nothing behind and is named', async () => {
  const url = await emptyDatabase();
  const broken = await folderOf({ ...first, '0002_x_b.sql': 'create table b (n int); select 1 / 0;' });
  await expect(migrate(url, broken)).rejects.toMatchObject({
    code: 'failed',
    message: 'migration 0002_x_b failed: division by zero',
  });
  expect(await query(url, `select to_regclass('a') is not null as a, to_regclass('b') is null as b`)).toEqual(
    [{ a: true, b: true }],
  );
});

test('a file may run outside a transaction', async () => {
  const url = await emptyDatabase();
  const index = '-- no transaction\ncreate index concurrently a_n on a (n);';
  expect(await migrate(url, await folderOf({ ...first, '0002_x_index.sql': index }))).toHaveLength(2);
});

test('a file with another kind of name is refused', async () => {
  await expect(readMigrations(await folderOf({ 'later.sql': '' }))).rejects.toThrow('later.sql');
});
