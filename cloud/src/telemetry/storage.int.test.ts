import { describe, expect, test } from 'vitest';
import { clonedDatabase } from '../platform/testing.ts';
import { createRows } from './sample.ts';
import { dropReadingsBefore, openStorage, storageMode } from './storage.ts';
import { givenPark, givenReadings } from './testing.ts';
import { writeRows } from './write-rows.ts';

const database = await clonedDatabase();
const owner = database.pool();
const pool = database.pool('parkline_ingest');
const now = new Date('2026-11-22T10:00:00Z');

test('is a hypertable where the extension is, native partitions elsewhere', async () => {
  expect(await storageMode(owner)).toBe(database.storage === 'timescale' ? 'timescale' : 'native');
});

test('makes room for any time, also after a partition was dropped behind its back', async () => {
  const { points } = (await givenPark(owner)).gateways[0]!;
  const storage = await openStorage(pool, now);
  const rows = createRows(3);
  ['2001-02-03', '2026-11-19', '2031-01-01'].forEach((day, i) => {
    rows.num[i] = points[i]!.num;
    rows.at[i] = Date.parse(day);
  });
  const write = async () => {
    await storage.ensure([rows]);
    const client = await pool.connect();
    try {
      await client.query('begin');
      await writeRows(client, [rows]);
      await client.query('commit');
    } finally {
      client.release(true);
    }
  };
  await write();
  await dropReadingsBefore(owner, new Date('2026-01-01'));
  storage.forget();
  await write();
  const { rows: found } = await owner.query('select from reading where point_num = any($1)', [
    points.map(({ num }) => num),
  ]);
  expect(found.length).toBe(3);
});

test('drops whole old weeks and nothing else', async () => {
  const { points } = (await givenPark(owner)).gateways[0]!;
  await givenReadings(owner, points[0]!, [
    ['2026-10-07T23:59:59Z', 1],
    ['2026-10-08T00:00:00Z', 2], // A Thursday: weeks begin there.
    ['2026-10-20T00:00:00Z', 3],
  ]);
  expect(await dropReadingsBefore(owner, new Date('2026-10-08T00:00:00Z'))).toBeGreaterThan(0);
  const values = async () =>
    (
      await owner.query<{ value: number }>('select value from reading where point_num = $1 order by ts', [
        points[0]!.num,
      ])
    ).rows.map(({ value }) => value);
  expect(await values()).toEqual([2, 3]);
  await dropReadingsBefore(owner, new Date('2026-10-14T00:00:00Z'));
  expect(await values()).toEqual([2, 3]);
});

describe('rights', () => {
  test('ingest may not change or delete a reading, and the API may not touch the table at all', async () => {
    const app = database.pool('parkline_app');
    await expect(pool.query('delete from reading')).rejects.toThrow('permission denied');
    await expect(pool.query('update reading set value = 0')).rejects.toThrow('permission denied');
    await expect(app.query('select from reading')).rejects.toThrow('permission denied');
    await expect(app.query('select from quarantine')).rejects.toThrow('permission denied');
  });

  test('no chunk or partition can be read past the table', async () => {
    const { points } = (await givenPark(owner)).gateways[0]!;
    await givenReadings(owner, points[0]!, [[now.toISOString(), 1]]);
    const { rows: parts } = await owner.query<{ name: string }>(
      `select n.nspname || '.' || c.relname as name from pg_inherits i
       join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
       where i.inhparent = 'reading'::regclass and c.relkind = 'r'`,
    );
    expect(parts.length).toBeGreaterThan(0);
    const app = database.pool('parkline_app');
    for (const { name } of parts)
      await expect(app.query(`select from ${name}`)).rejects.toThrow('permission denied');
  });
});
