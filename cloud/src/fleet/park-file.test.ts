import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseParkFile } from './park-file.ts';
import { mixedPark, smallPark } from './testing.ts';

test('the park that comes with the product is sound', () => {
  const file = join(import.meta.dirname, '../../../firmware-sim/parks/demo.yaml');
  const park = parseParkFile(readFileSync(file, 'utf8'));
  expect(park.buildings.flatMap(({ meters }) => meters).length).toBeGreaterThanOrEqual(16);
  expect(park.buildings.flatMap(({ equipment }) => equipment ?? []).length).toBeGreaterThanOrEqual(20);
  expect(park.leases?.length).toBeGreaterThan(0);
});

test('the park of Chinese meters is sound: their lines carry meters that have an address in place of a unit', () => {
  const file = join(import.meta.dirname, '../../../firmware-sim/parks/meters.yaml');
  const [building] = parseParkFile(readFileSync(file, 'utf8')).buildings;
  expect(
    building?.meters.map(({ unit, address }) => [unit, Object.keys(address ?? {}).includes('address')]),
  ).toEqual(Array.from({ length: 5 }, () => [undefined, true]));
});

test('the second park that comes with the product is sound', () => {
  const file = join(import.meta.dirname, '../../../firmware-sim/parks/riverside.yaml');
  expect(parseParkFile(readFileSync(file, 'utf8')).key).toBe('riverside');
});

test.each([
  [
    'a bus without transport',
    ['key: m-panel, transport: tcp', 'key: m-panel'],
    'bus m-panel of building m: transport must be',
  ],
  [
    'a transport where there is none',
    ['protocol: opcua', 'protocol: opcua, transport: tcp'],
    'opcua has no transport',
  ],
  ['a protocol that nobody speaks', ['protocol: opcua', 'protocol: knx'], '/buildings/0/buses/2/protocol'],
  [
    'an address of another protocol',
    ['{ device: 2001 }', '{ root: Lift }'],
    'equipment m-ahu: address must have required properties device',
  ],
  [
    'an address twice',
    ['{ device: 2002 }', '{ device: 2001 }'],
    'equipment m-vav: m-bacnet device 2001 is m-ahu already',
  ],
  [
    'a meter on a bus of another protocol',
    ['bus: m-panel, unit: 1', 'bus: m-bacnet, unit: 1'],
    'meter m-main: bus m-bacnet is no Modbus bus',
  ],
  [
    'a place served that is none',
    ['serves: [m-1, m-101]', 'serves: [m-1, m-999]'],
    'equipment m-ahu: there is no floor or space m-999',
  ],
  ['a device key that a meter has', ['key: m-ahu,', 'key: m-main,'], 'device m-main is there twice'],
  [
    'a space that is not there',
    ['unit: 2, space: m-101', 'unit: 2, space: m-102x'],
    'meter m-101: there is no space m-102x',
  ],
  [
    'a lease of nobody',
    ['tenant: bistro, spaces', 'tenant: bistrot, spaces'],
    'lease bistro-102: there is no tenant bistrot',
  ],
  [
    'a lease that ends before it began',
    ['to: 2026-07-01', 'to: 2024-07-01'],
    'lease atelier-101: ends on 2024-07-01',
  ],
  [
    'a space let twice',
    ['spaces: [m-102]', 'spaces: [m-102, m-101]'],
    'lease bistro-102: space m-101 is let by atelier-101',
  ],
  ['a day that does not exist', ['to: 2026-07-01', 'to: 2026-06-31'], '/leases/0/to'],
])('%s is named', (_what, [from, to], fault) => {
  expect(mixedPark).toContain(from);
  expect(() => parseParkFile(mixedPark.replace(from ?? '', to ?? ''))).toThrow(fault);
});

test('all faults come together', () => {
  const text = mixedPark
    .replace('bus: m-panel, unit: 1', 'bus: m-x, unit: 1')
    .replace('spaces: [m-102]', 'spaces: [m-x]');
  const faults = () => parseParkFile(text);
  expect(faults).toThrow('meter m-main: building m has no bus m-x\nlease bistro-102: there is no space m-x');
});

test.each([
  [
    'a bus that is not there',
    ['bus: a-panel, unit: 2', 'bus: a-bus, unit: 2'],
    'meter a-sub: building a has no bus a-bus',
  ],
  [
    'a floor of another building',
    ['unit: 7', 'unit: 7, floor: a-1'],
    'meter b-water: building b has no floor a-1',
  ],
  [
    'a meter behind none',
    ['submeterOf: a-main', 'submeterOf: a-mian'],
    'meter a-sub: there is no meter a-mian',
  ],
  ['a key that comes twice', ['key: a-sub', 'key: a-main'], 'device a-main is there twice'],
  [
    'a zone that does not exist',
    ['Asia/Shanghai', 'Asia/Atlantis'],
    'site: Asia/Atlantis is not an IANA time zone',
  ],
  [
    'a meter without its unit',
    ['unit: 7', 'unti: 7'],
    'meter b-water: address must have required properties unit',
  ],
  ['a missing field', ['bus: b-riser, unit: 7', 'buss: b-riser, unit: 7'], '/buildings/1/meters/0'],
  ['a name in one language', ['{ en: Water, zh: 水表 }', '{ en: Water }'], '/buildings/1/meters/0/name'],
  ['broken YAML', ['key: small', 'key: [small'], 'not YAML'],
])('%s is named', (_what, [from, to], fault) => {
  expect(() => parseParkFile(smallPark.replace(from ?? '', to ?? ''))).toThrow(fault);
});
