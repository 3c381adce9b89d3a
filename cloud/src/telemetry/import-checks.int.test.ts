import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { clonedDatabase } from '../platform/testing.ts';
import { BadRollover } from './import-readings.ts';
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

const advice = 'if the register rolled over, say at which value with --rollover m-0-0=VALUE';

const registers = `meter,ts,register
m-0-0,2026-11-20T00:00:00Z,100.00
m-0-0,2026-11-20T09:00:00+08:00,101.25
m-0-1,2026-11-20T00:07:00Z,5
`;

describe('registers', () => {
  test('are refused where they contradict or run behind what is stored', async () => {
    await givenReadings(owner, first, [['2026-11-20T00:00:00Z', 9_999]]);
    await givenReadings(owner, second, [['2026-11-20T00:08:00Z', 499]]);
    const { faults } = await load(registers);
    expect(faults).toEqual([
      { row: 2, field: 'register', reason: '100 contradicts the stored 99.99' },
      {
        row: 4,
        field: 'register',
        reason:
          'runs backwards: 4.99 (stored for 2026-11-20T00:08:00.000Z) after 5; if the register rolled over, say at which value with --rollover m-0-1=VALUE',
      },
    ]);
  });

  test('are refused with every fault of every kind at once, in the order of the file', async () => {
    const rows = ['m-0-0,2026-11-20T02:00:00Z,3', 'm-9,x,y', 'm-0-1,2026-11-20T00:07:00Z,6', 'm-0-0,x,1'];
    const { faults, faultCount, checked, progress } = await load(registers + rows.join('\n'));
    expect(faults.map(({ row, reason }) => [row, reason.split(/[:;]/)[0]])).toEqual([
      [5, 'runs backwards'],
      [6, 'is not known'],
      [7, '6 contradicts an earlier row of the file'],
      [8, 'is no ISO 8601 instant with an offset'],
    ]);
    expect([checked, faultCount, progress]).toEqual([7, 4, ['7 rows checked, 4 faults']]);
  });

  const at = (register: string, time = '02:00') =>
    `meter,ts,register\nm-0-0,2026-11-20T${time}:00Z,${register}\n`;

  test('are refused where they only look like a roll-over, towards the readings before and after', async () => {
    await givenReadings(owner, first, [
      ['2026-11-20T00:00:00Z', 6_700_000],
      ['2026-11-20T04:00:00Z', 6_750_100],
    ]);
    expect((await load(at('990000'))).faults).toEqual([
      {
        row: 2,
        field: 'register',
        reason: `runs backwards: 67501 (stored for 2026-11-20T04:00:00.000Z) after 990000; ${advice}`,
      },
    ]);
    expect((await load(at('99999999999'))).faultCount).toBe(1);
    expect((await load(at('5', '05:00'))).faults.map(({ reason }) => reason)).toEqual([
      `runs backwards: 5 after 67501 (stored for 2026-11-20T04:00:00.000Z); ${advice}`,
    ]);
    const declared = { rollover: { 'm-0-0': 1_000_000 } };
    expect((await load(at('990000'), declared)).faults.map(({ reason }) => reason)).toEqual([
      'runs backwards: 990000 after 67000 (stored for 2026-11-20T00:00:00.000Z); too far for a roll-over at 1000000',
    ]);
    expect((await load(at('67200'))).inserted).toBe(1);
  });

  describe('of a meter said to roll over', () => {
    const over = (from: string, to: string) => `${at(from)}m-0-0,2026-11-20T03:00:00Z,${to}\n`;

    test.each([
      ['99999.99', '0.42', 100_000],
      ['90000', '0', 100_000],
      ['4294967295', '3', 4_294_967_296],
    ])('may go from %s to %s', async (from, to, modulus) => {
      const result = await load(over(from, to), { rollover: { 'm-0-0': modulus } });
      expect(result).toMatchObject({ inserted: 2, faultCount: 0 });
    });

    test.each([
      ['89999.99', '0', 3, 'runs backwards: 0 after 89999.99 (row 2); too far for a roll-over at 100000'],
      ['5', '4', 3, 'runs backwards: 4 after 5 (row 2); too far for a roll-over at 100000'],
      ['3', '99999', 3, 'runs backwards: 99999 after 3 (row 2); too far for a roll-over at 100000'],
      ['100000', '100001', 2, '100000 is not below 100000, where the register rolls over'],
    ])('may not go from %s to %s', async (from, to, row, reason) => {
      const { faults, inserted } = await load(over(from, to), { rollover: { 'm-0-0': 100_000 } });
      expect([inserted, faults[0]]).toEqual([0, { row, field: 'register', reason }]);
    });

    test('must be known, and the value one that it can show', async () => {
      await expect(load(registers, { rollover: { 'M-0-0': 1e6 } })).rejects.toThrow(
        new BadRollover('--rollover M-0-0=1000000: no such meter; did you mean m-0-0?'),
      );
      await expect(load(registers, { rollover: { 'm-0-0': 0.001 } })).rejects.toThrow(BadRollover);
    });
  });
});

describe('rows of energy an hour with a fault', () => {
  test('are compared with what is stored up to the fault, after which no sum is known', async () => {
    await givenReadings(owner, first, [
      ['2026-11-20T00:00:00Z', 0],
      ['2026-11-20T01:00:00Z', 99],
      ['2026-11-20T03:00:00Z', 300],
    ]);
    const { faults } = await load(
      'datetime_utc,m-0-0\n2026-11-20 00:00:00,1\n2026-11-20 01:00:00,one\n2026-11-20 02:00:00,1\n',
    );
    expect(faults).toEqual([
      { row: 2, field: 'register', reason: '1 contradicts the stored 0.99' },
      { row: 3, field: 'm-0-0', reason: 'is no number: one' },
    ]);
  });
});
