import { describe, expect, test } from 'vitest';
import { simulate } from './simulate.ts';
import { billFile, createReadings, createScenarioFile, faultsOf, inputOf, PLAIN_FLOW } from './testing.ts';

describe('readings', () => {
  const rows = createReadings(PLAIN_FLOW);
  const withRow = (row: string): string[] => faultsOf(createScenarioFile(), [row, ...rows]);

  test.each([
    ['an unknown meter', '99,2026-06-01T01:00:00Z,5', 'row 2, meter: no meter 99 in the scenario'],
    ['no meter', ',2026-06-01T01:00:00Z,5', 'row 2, meter: no meter (empty) in the scenario'],
    ['no instant', '1,soon,5', 'row 2, ts: is no instant: soon'],
    ['a date instead of an instant', '1,2026-06-01,5', 'row 2, ts: is no instant: 2026-06-01'],
    ['an empty instant', '1,,5', 'row 2, ts: is no instant: (empty)'],
    ['no number', '1,2026-06-01T01:00:00Z,five', 'row 2, register: is no number: five'],
    ['an empty register', '1,2026-06-01T01:00:00Z,', 'row 2, register: is no number: (empty)'],
    [
      'more digits than the display',
      '1,2026-06-01T01:00:00Z,1000000',
      'row 2, register: 1000000 does not fit the display of meter 1: 6 digits before and 0 after the point',
    ],
    [
      'finer than the display',
      '1,2026-06-01T01:00:00Z,5.5',
      'row 2, register: 5.5 does not fit the display of meter 1: 6 digits before and 0 after the point',
    ],
    [
      'below zero',
      '1,2026-06-01T01:00:00Z,-5',
      'row 2, register: -5 does not fit the display of meter 1: 6 digits before and 0 after the point',
    ],
    [
      'another register at the same instant',
      '1,2026-06-01T01:00:00Z,6',
      'row 29, register: differs from line 2, same meter and instant',
    ],
    [
      'a time before the installation',
      '1,2026-05-31T23:00:00Z,0',
      'row 2, ts: meter 1 is not installed at 2026-05-31T23:00:00+00:00',
    ],
    [
      'a time far from the period',
      '1,2027-06-01T00:00:00Z,0',
      'row 2, ts: is too far from the period 2026-06-01 to 2026-06-02',
    ],
    ['too few columns', '1,2026-06-01T01:00:00Z', 'row 2, : has 2 columns, not 3'],
  ])('%s', (_why, row, expected) => {
    expect(withRow(row)).toEqual([expected]);
  });

  test('equal rows, empty rows, quotes, blanks, a byte order mark and any order of columns are no faults', () => {
    const turned = rows
      .map((row) => row.split(','))
      .map(([meter, ts, register]) => ` ${register} ,"${meter}",${ts},`);
    const readings = ['\uFEFFregister,meter,ts,remark', ...turned, '', turned[0], ''].join('\r\n');
    const result = simulate({ ...inputOf(createScenarioFile(), []), readings });
    expect(result.ok).toBe(true);
  });

  test('missing columns are told one by one', () => {
    const result = simulate({ ...inputOf(createScenarioFile(), []), readings: 'meter;ts;register' });
    expect(!result.ok && result.faults.map(({ row, field }) => [row, field])).toEqual([
      [1, 'meter'],
      [1, 'ts'],
      [1, 'register'],
    ]);
  });

  test('a day of registers before the period serves as like day', () => {
    const file = createScenarioFile();
    Object.assign(file.period, { from: '2026-06-02', to: '2026-06-03' });
    const counts = (hour: number): number => 10 + (hour % 3) * 5;
    const flow = { ...PLAIN_FLOW, '0': () => 40, '1': counts };
    const readings = createReadings(flow, 48).filter((row) => !/^1,2026-06-02T0[12]/.test(row));
    expect(billFile(file, readings).vee!['a']!.map(({ kwh }) => kwh)).toEqual(['10.00', '15.00', '20.00']);
  });
});
