import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { clonedDatabase } from '../platform/testing.ts';
import { UnreadableFile } from './import-parse.ts';
import { flag } from './sample.ts';
import { createImporter } from './testing-import.ts';
import { givenPark, givenReadings, type TestPark, type TestPoint } from './testing.ts';

const database = await clonedDatabase();
const owner = database.pool();
const importer = createImporter(owner);
afterAll(importer.remove);

let park: TestPark;
let first: TestPoint;
let second: TestPoint;
beforeEach(async () => {
  park = await givenPark(owner);
  const { points } = park.gateways[0]!;
  [first, second] = [points[1]!, points[3]!]; // The registers of meters m-0-0 and m-0-1, in steps of 0.01 kWh.
});

const load = (text: string | Buffer, options?: Parameters<typeof importer.load>[2]) =>
  importer.load(park.accountId, text, options);

const stored = async ({ num }: TestPoint) =>
  (
    await owner.query<{ ts: Date; value: number; flags: number }>(
      'select ts, value, flags from reading where point_num = $1 order by ts',
      [num],
    )
  ).rows.map(({ ts, value, flags }) => [ts.toISOString().slice(5, 16), value, flags]);

const advice = 'if the register rolled over, say at which value with --rollover m-0-0=VALUE';

const registers = `meter,ts,register
m-0-0,2026-11-20T00:00:00Z,100.00
m-0-0,2026-11-20T09:00:00+08:00,101.25
m-0-1,2026-11-20T00:07:00Z,5
`;

describe('rows meter,ts,register', () => {
  test('are stored as whole counts, marked, and become the latest values', async () => {
    const result = await load(registers, { simulated: true });
    expect(result).toMatchObject({ rows: 3, inserted: 3, unchanged: 0, faultCount: 0 });
    const marks = flag.imported | flag.simulated;
    expect(await stored(first)).toEqual([
      ['11-20T00:00', 10_000, marks | flag.boundary],
      ['11-20T01:00', 10_125, marks | flag.boundary],
    ]);
    expect(await stored(second)).toEqual([['11-20T00:07', 500, marks]]);
    const { rows: latest } = await owner.query('select value from point_latest where point_num = $1', [
      first.num,
    ]);
    expect(latest).toEqual([{ value: 10_125 }]);
    const { rows: noted } = await owner.query(
      'select who, file, rows, inserted, simulated from reading_import where id = $1',
      [result.importId],
    );
    expect(noted).toEqual([{ who: 'test', file: 'readings.csv', rows: 3, inserted: 3, simulated: true }]);
  });

  test('change nothing the second time; gzip or not, in any order of rows or columns', async () => {
    await load(registers);
    const [, ...rows] = registers.trim().split('\n');
    const turned = [
      'register,meter,ts',
      ...rows.reverse().map((row) => row.replace(/(.*),(.*),(.*)/, '$3,$1,$2')),
    ];
    const again = await load(gzipSync(turned.join('\r\n')), { name: 'again.csv.gz' });
    expect(again).toEqual({
      progress: ['3 rows checked, 0 faults'],
      importId: null,
      checked: 3,
      rows: 3,
      inserted: 0,
      unchanged: 3,
      faultCount: 0,
      faults: [],
    });
  });

  test.each([
    ['a byte order mark', '\ufeff'],
    ['a byte order mark before a quoted header', '\ufeff"meter","ts","register"\n'],
  ])('may begin with %s', async (_what, start) => {
    const [header, ...rows] = registers.split('\n');
    const text = start.includes('meter') ? start + rows.join('\n') : start + [header, ...rows].join('\n');
    expect(await load(text)).toMatchObject({ inserted: 3, faultCount: 0 });
  });

  test('are only checked in a dry run', async () => {
    expect(await load(registers, { dryRun: true })).toMatchObject({ importId: null, inserted: 3 });
    expect(await stored(first)).toEqual([]);
  });

  test.each([
    ['m-0-9,2026-11-20T02:00:00Z,102', 'meter', 'is not known: m-0-9; did you mean m-0-0 or m-0-1?'],
    ['M-0-0,2026-11-20T02:00:00Z,102', 'meter', 'is not known: M-0-0; did you mean m-0-0?'],
    ['Lobby,2026-11-20T02:00:00Z,102', 'meter', 'is not known: Lobby; known are m-0-0, m-0-1'],
    [',2026-11-20T02:00:00Z,102', 'meter', 'is missing'],
    ['m-0-0,,102', 'ts', 'is missing'],
    ['m-0-0,2026-11-20 02:00,102', 'ts', 'is no ISO 8601 instant with an offset: 2026-11-20 02:00'],
    ['m-0-0,2026-13-20T02:00:00Z,102', 'ts', 'is no date and time: 2026-13-20T02:00:00Z'],
    ['m-0-0,2026-02-30T02:00:00Z,102', 'ts', 'is no date and time: 2026-02-30T02:00:00Z'],
    ['m-0-0,2025-02-29 02:00:00+08:00,102', 'ts', 'is no date and time: 2025-02-29 02:00:00+08:00'],
    ['m-0-0,1999-11-20T02:00:00Z,102', 'ts', 'is before the year 2000: 1999-11-20T02:00:00Z'],
    ['m-0-0,2026-12-20T02:00:00Z,102', 'ts', 'is in the future: 2026-12-20T02:00:00Z'],
    ['m-0-0,2026-11-20T02:00:00Z,102.123', 'register', 'is not a whole number of steps of 0.01: 102.123'],
    ['m-0-0,2026-11-20T02:00:00Z,-3', 'register', 'is negative: -3'],
    ['m-0-0,2026-11-20T02:00:00Z,', 'register', 'is missing'],
    ['m-0-0,2026-11-20T02:00:00Z,1e3', 'register', 'is no number: 1e3'],
    [
      'm-0-0,2026-11-20T02:00:00Z,9999999999999999',
      'register',
      'is more than a register can show: 9999999999999999',
    ],
    ['m-0-0,2026-11-20T02:00:00Z', 'row', 'has 2 cells, not 3'],
    ['m-0-0,2026-11-20T01:00:00Z,101.26', 'register', '101.26 contradicts an earlier row of the file'],
    [
      'm-0-0,2026-11-20T02:00:00Z,101.24',
      'register',
      `runs backwards: 101.24 after 101.25 (row 3); ${advice}`,
    ],
    ['m-0-0,2026-11-20T02:00:00Z,0.42', 'register', `runs backwards: 0.42 after 101.25 (row 3); ${advice}`],
  ])('are refused as a whole for one bad row: %s', async (row, field, reason) => {
    const result = await load(registers + row);
    expect(result).toMatchObject({
      importId: null,
      inserted: 0,
      faultCount: 1,
      faults: [{ row: 5, field, reason }],
    });
    expect(await stored(first)).toEqual([]);
  });

  test('of another account are not known', async () => {
    const other = park;
    park = await givenPark(owner, { meters: 1 });
    expect((await load(registers)).faults.map(({ row }) => row)).toEqual([4]);
    expect(other.accountId).not.toBe(park.accountId);
  });
});

describe('rows of energy an hour', () => {
  const hours =
    'datetime_utc,m-0-0,m-0-1\n2026-11-20 00:00:00,10.004,1\n2026-11-20 01:00:00,10.004,\n2026-11-20 02:00:00,10.004,3\n';

  test('become registers that go on from where the meter stood, rounded from the sum', async () => {
    await givenReadings(owner, first, [['2026-11-19T23:55:00Z', 5_000]]);
    expect(await load(hours)).toMatchObject({ inserted: 7, faultCount: 0 });
    expect((await stored(first)).map(([at, value]) => [at, value])).toEqual([
      ['11-19T23:55', 5_000],
      ['11-20T00:00', 5_000],
      ['11-20T01:00', 6_000],
      ['11-20T02:00', 7_001],
      ['11-20T03:00', 8_001],
    ]);
    expect(await load(hours)).toMatchObject({ inserted: 0, unchanged: 7, faultCount: 0 });
  });

  test('leave a missing hour open instead of making it zero', async () => {
    await load(hours);
    expect((await stored(second)).map(([at, value]) => [at, value])).toEqual([
      ['11-20T00:00', 0],
      ['11-20T01:00', 100],
      ['11-20T03:00', 400],
    ]);
  });

  test('name the row and column of what is wrong', async () => {
    const { faults } = await load(
      'datetime_utc,m-0-0,b37\n2026-11-20 00:00:00,-1,2\n2026-11-20 00:30:00,1,2\nyesterday,1,2\n2026-02-30 00:00:00,1,2\n',
    );
    expect(faults).toEqual([
      { row: 1, field: 'b37', reason: 'is no known meter; known are m-0-0, m-0-1' },
      { row: 2, field: 'm-0-0', reason: 'is negative: -1' },
      {
        row: 3,
        field: 'datetime_utc',
        reason: 'is not an hour or more after the row before: 2026-11-20 00:30:00',
      },
      { row: 4, field: 'datetime_utc', reason: 'is no date and time: yesterday' },
      { row: 5, field: 'datetime_utc', reason: 'is no date and time: 2026-02-30 00:00:00' },
    ]);
  });
});

describe('a file', () => {
  test.each([
    ['', 'is missing: the file is empty'],
    ['a,b\n1,2\n', 'is neither meter,ts,register nor datetime_utc and one column a meter'],
  ])('that is no readings file is told by its header: %j', async (text, reason) => {
    expect((await load(text)).faults).toEqual([{ row: 1, field: 'header', reason }]);
  });

  test('that cannot be unpacked is told as such', async () => {
    const cut = gzipSync(registers).subarray(0, 40);
    await expect(load(cut, { name: 'cut.csv.gz' })).rejects.toThrow(UnreadableFile);
    await expect(load('not gzip', { name: 'plain.csv.gz' })).rejects.toThrow('plain.csv.gz cannot be read');
  });
});
