import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseParkFile } from './park-file.ts';
import { smallPark } from './testing.ts';

test('the park that comes with the product is sound', () => {
  const file = join(import.meta.dirname, '../../../firmware-sim/parks/demo.yaml');
  const park = parseParkFile(readFileSync(file, 'utf8'));
  expect(park.buildings.flatMap(({ meters }) => meters).length).toBeGreaterThanOrEqual(16);
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
  ['a key that comes twice', ['key: a-sub', 'key: a-main'], 'meter a-main is there twice'],
  [
    'a zone that does not exist',
    ['Asia/Shanghai', 'Asia/Atlantis'],
    'site: Asia/Atlantis is not an IANA time zone',
  ],
  ['a missing field', ['unit: 7', 'unti: 7'], '/buildings/1/meters/0'],
  ['a name in one language', ['{ en: Water, zh: 水表 }', '{ en: Water }'], '/buildings/1/meters/0/name'],
  ['broken YAML', ['key: small', 'key: [small'], 'not YAML'],
])('%s is named', (_what, [from, to], fault) => {
  expect(() => parseParkFile(smallPark.replace(from ?? '', to ?? ''))).toThrow(fault);
});
