import { join } from 'node:path';
import { expect, test } from 'vitest';
import { history } from './history.ts';
import { createMeters, originOf } from './meters.ts';
import { readHourlyData } from './models/hourly-data.ts';
import { parsePark, protocolOf, readPark } from './park.ts';

const file = (name: string): string => join(import.meta.dirname, '../parks', name);
const demo = readPark(file('demo.yaml'));

test('the demo park has both transports and all protocols, a gateway with several units and at least sixteen meters of three kinds', () => {
  expect(demo.meters.length).toBeGreaterThanOrEqual(16);
  expect(new Set(demo.meters.map(({ kind }) => kind)).size).toBe(3);
  expect(new Set(demo.buses.flatMap(({ transport }) => transport ?? [])).size).toBe(2);
  expect(new Set(demo.buses.map(protocolOf)).size).toBe(4);
  expect(demo.equipment).toHaveLength(23);
  expect(demo.meters.filter(({ bus }) => bus === 'a-tenants').length).toBeGreaterThan(3);
});

const park = (buses: string, meters: string): string =>
  `{ key: p, site: { timezone: UTC }, buildings: [{ buses: [${buses}], meters: [${meters}] }] }`;
const bus = '{ key: b, transport: tcp }';
const meter = (more: object): string =>
  JSON.stringify({
    ...{ key: 'm', kind: 'k', template: 't', bus: 'b', unit: 1, start: 0, load: { column: 'b0', times: 1 } },
    ...more,
  });

test.each([
  ['a bus twice', park(`${bus}, ${bus}`, ''), 'bus b is there twice'],
  ['an unknown transport', park('{ key: b, transport: serial }', ''), 'bus b: transport is serial'],
  ['a meter twice', park(bus, `${meter({ unit: 1 })}, ${meter({ unit: 2 })}`), 'device m is there twice'],
  [
    'two meters at one place',
    park(bus, `${meter({ key: 'n' })}, ${meter({ key: 'm' })}`),
    'two meters at b unit 1',
  ],
  ['no such bus', park(bus, meter({ bus: 'x' })), 'meter m: no bus x'],
  ['a bad unit', park(bus, meter({ unit: 300 })), 'unit 300 is not 1..247'],
  ['a negative start', park(bus, meter({ start: -1 })), 'start is -1'],
  ['a sum of nobody', park(bus, meter({ load: { sum: ['z'], times: 1 } })), 'no meter z to sum'],
  ['an unknown protocol', park('{ key: b, protocol: knx }', ''), 'bus b: protocol is knx'],
  ['a meter elsewhere', park('{ key: b, protocol: mqtt }', meter({})), 'meter m: b is not a Modbus bus'],
  [
    'a motor of nobody',
    park(bus, meter({ load: { column: 'b0', times: 1, equipment: ['z'] } })),
    'no equipment z to feed',
  ],
  ['a load without times', park(bus, meter({ load: { column: 'b0' } })), 'load.times is undefined'],
] as const)('a park with %s is refused', (_what, text, why) => {
  expect(() => parsePark(text, 'p')).toThrow(why);
});

test.each([
  ['on no bus', 'x', 'equipment e: no bus x'],
  ['on a Modbus bus', 'b', 'equipment e: b is a Modbus bus'],
])('equipment %s is refused', (_where, on, why) => {
  const text = `{ key: p, site: { timezone: UTC }, buildings: [{ buses: [${bus}], meters: [], equipment: [{ key: e, bus: ${on} }] }] }`;
  expect(() => parsePark(text, 'p')).toThrow(why);
});

test('the series begins at midnight of the site', () => {
  expect(new Date(originOf('Asia/Shanghai')).toISOString()).toBe('2020-12-31T16:00:00.000Z');
  expect(new Date(originOf('America/New_York')).toISOString()).toBe('2021-01-01T05:00:00.000Z');
  expect(new Date(originOf('UTC')).toISOString()).toBe('2021-01-01T00:00:00.000Z');
});

test('the same seed gives the same park, another seed another, and both the same energy at full hours', () => {
  const data = readHourlyData();
  const [one, same, other] = [1, 1, 2].map((seed) =>
    createMeters(demo, data, seed).get('a-f1')!.get('active_energy_import')!,
  );
  const [t, full] = [Date.parse('2026-11-20T03:17:31Z'), Date.parse('2026-11-20T03:00:00Z')];
  expect(one!(t)).toBe(same!(t));
  expect(one!(t)).not.toBe(other!(t));
  expect(one!(full)).toBeCloseTo(other!(full), 6);
});

test('a main meter has used what its parts used, and its losses', () => {
  const meters = createMeters(demo, readHourlyData(), 1);
  const used = (key: string): number => {
    const register = meters.get(key)!.get('active_energy_import')!;
    return register(Date.parse('2026-11-01T00:00:00Z')) - register(Date.parse('2026-10-01T00:00:00Z'));
  };
  const parts = ['b-f1', 'b-f2', 'b-canteen', 'b-hvac', 'b-elevators'].reduce(
    (sum, key) => sum + used(key),
    0,
  );
  expect(used('b-main')).toBeCloseTo(parts * 1.015, 3);
});

test('a sum that holds itself, an unknown column and an unknown kind are refused', () => {
  const loop = {
    ...demo,
    meters: demo.meters.map((m) => (m.key === 'a-f1' ? { ...m, load: { sum: ['a-main'], times: 1 } } : m)),
  };
  expect(() => createMeters(loop, readHourlyData(), 1)).toThrow(/sums itself: a-main > a-f1/);
  const lost = { ...demo, meters: [{ ...demo.meters[1]!, load: { column: 'b999', times: 1 } }] };
  expect(() => createMeters(lost, readHourlyData(), 1)).toThrow(/no column b999; there are b0/);
});

test('history is what the live registers showed, at every quarter hour, never falling', () => {
  const until = Date.parse('2026-11-22T10:07:00Z');
  const csv = [...history({ park: file('small.yaml'), seed: 1, months: 1, until, stepMinutes: 15 })].join('');
  const rows = csv
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  expect(rows[0]).toEqual(['meter', 'ts', 'register']);
  const main = rows.filter(([meterKey]) => meterKey === 's-main');
  expect([main[0]![1], main.at(-1)![1], main.length]).toEqual([
    '2026-10-22T10:00:00.000Z',
    '2026-11-22T10:00:00.000Z',
    31 * 96 + 1,
  ]);
  const counts = main.map(([, , register]) => Math.round(Number(register) * 1000));
  expect(counts.every((count, index) => index === 0 || count >= counts[index - 1]!)).toBe(true);
  const live = createMeters(readPark(file('small.yaml')), readHourlyData(), 1)
    .get('s-main')!
    .get('active_energy_import')!;
  expect(Number(main.at(-1)![2])).toBeCloseTo(live(Date.parse('2026-11-22T10:00:00Z')), 2);
});

test('months are counted back by the calendar: 13 before the 31st of March is the last of February', () => {
  const until = Date.parse('2026-03-31T00:00:00Z');
  const [head = ''] = history({ park: file('small.yaml'), seed: 1, months: 13, until, stepMinutes: 1440 });
  expect(head.split('\n')[1]).toMatch(/^s-main,2025-02-28T00:00:00\.000Z,/);
});

test('meters of air conditioning and elevators had in history what they show live, and never fell', () => {
  const until = Date.parse('2026-11-22T12:00:00Z');
  const csv = [...history({ park: file('demo.yaml'), seed: 1, months: 13, until, stepMinutes: 360 })].join(
    '',
  );
  const live = createMeters(demo, readHourlyData(), 1);
  for (const key of ['a-hvac', 'b-hvac', 'a-elevators', 'b-elevators', 'a-main']) {
    const rows = csv.split('\n').filter((line) => line.startsWith(`${key},`));
    const registers = rows.map((line) => Number(line.split(',')[2]));
    expect(registers.length).toBeGreaterThan(4 * 390);
    expect(registers.every((register, n) => n === 0 || register > registers[n - 1]!)).toBe(true);
    expect(Math.abs(registers.at(-1)! - live.get(key)!.get('active_energy_import')!(until))).toBeLessThan(1);
  }
});
