import { describe, expect, test } from 'vitest';
import { parseDecimal } from '../metering/index.ts';
import { parseJson } from './json.ts';
import { simulate } from './simulate.ts';
import { createReadings, createScenarioFile, faultsOf, inputOf, PLAIN_FLOW, set } from './testing.ts';

describe('all faults are told together', () => {
  test('of the scenario and of the readings', () => {
    const file = createScenarioFile();
    set('installations.1.multiplier', undefined)(file);
    set('landlord', 'X')(file);
    expect(faultsOf(file, ['9,2026-06-01T00:00:00Z,x'])).toEqual([
      'installations[1].multiplier: is missing',
      'landlord: X is not in participant_order',
      'row 2, meter: no meter 9 in the scenario',
      'row 2, register: is no number: x',
    ]);
  });

  test('of every meter', () => {
    const rows = createReadings(PLAIN_FLOW).filter((row) => !/^[12],/.test(row));
    expect(faultsOf(createScenarioFile(), rows)).toEqual([
      'installations[1].meter: meter 1 has no readings',
      'installations[2].meter: meter 2 has no readings',
    ]);
  });

  test('of both registers of a usage point', () => {
    const file = createScenarioFile();
    file.meters.push({ id: 'pv', digits: 6, decimals: 0 });
    file.installations.push({ ...file.installations[1], meter: 'pv', direction: 'export' });
    const rows = createReadings(PLAIN_FLOW).filter((row) => !row.startsWith('1,'));
    expect(faultsOf(file, rows)).toEqual([
      'installations[1].meter: meter 1 has no readings',
      'installations[4].meter: meter pv has no readings',
    ]);
  });

  test('readings are checked as far as they go when the scenario cannot be read', () => {
    const readings = 'meter,ts,register\n1,soon,5';
    const faults = (scenario: string | undefined): unknown => {
      const json = scenario === undefined ? undefined : parseJson(scenario);
      const result = simulate({ scenario: json, readings, multipliers: new Map() });
      return !result.ok && result.faults.map(({ source, message }) => `${source} ${message}`);
    };
    expect(faults(undefined)).toEqual(['readings is no instant: soon']);
    expect(faults('[]')).toEqual(['scenario must be a JSON object', 'readings is no instant: soon']);
  });

  test('nothing at all is not a bill', () => {
    const result = simulate({ scenario: undefined, readings: undefined, multipliers: new Map() });
    expect(result.ok).toBe(false);
  });

  test('a multiplier for a meter that hangs nowhere', () => {
    const input = {
      ...inputOf(createScenarioFile(), createReadings(PLAIN_FLOW)),
      multipliers: new Map([['9', parseDecimal('2')!]]),
    };
    const result = simulate(input);
    expect(!result.ok && result.faults[0]?.message).toBe('--multiplier: no installation of meter 9');
  });
});
