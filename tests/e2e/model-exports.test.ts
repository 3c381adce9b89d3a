import { loadTemplates } from '@parkline/templates';
import { Parser } from 'n3';
import { expect, test } from 'vitest';
import { toTurtle } from '../../cloud/src/fleet/brick-export.ts';
import { parseFilter } from '../../cloud/src/fleet/filter.ts';
import { toHayson, toZinc } from '../../cloud/src/fleet/haystack-export.ts';
import { loadModel, type PointNode } from '../../cloud/src/fleet/model.ts';
import { givenFleet, mixedPark } from '../../cloud/src/fleet/testing.ts';
import { givenAccount } from '../../cloud/src/identity/testing.ts';
import { withAccount } from '../../cloud/src/platform/db.ts';
import { clonedDatabase } from '../../cloud/src/platform/testing.ts';
import { parsePoints } from '../../edge/src/points/parse.ts';

const { owner } = await clonedDatabase();
const account = await givenAccount(owner);
await givenFleet(owner, account, mixedPark);
const model = await withAccount(owner, account, (trx) => loadModel(trx, account, loadTemplates()));
const texts = {
  hayson: toHayson(model),
  zinc: toZinc(model),
  turtle: await toTurtle(model, `urn:parkline:${account}:`),
};

/** What a gateway makes of an export. */
function readBack(format: 'haystack' | 'brick', text: string) {
  const { found, faults } = parsePoints(
    { name: 'model', bytes: Buffer.from(text), beside: () => undefined },
    { format, scaleFactors: new Map() },
  );
  expect(faults).toEqual([]);
  return new Map(found.map(({ point }) => [point.key, point]));
}
const sorted = (words: readonly string[]) => words.toSorted();
const unitOf = ({ unit }: PointNode) => (unit === '1' ? null : unit);

test.each(['hayson', 'zinc'] as const)('a gateway reads every point of the model back from %s', (format) => {
  const read = readBack('haystack', texts[format]);
  expect(sorted([...read.keys()])).toEqual(sorted(model.points.map(({ ref }) => ref)));
  for (const point of model.points) {
    const back = read.get(point.ref)!;
    const markers = [...point.tags].flatMap(([name, value]) => (value === true ? [name] : []));
    expect([point.ref, back.name, back.equipment, back.unit, sorted(back.tags)]).toEqual([
      ...[point.ref, point.name.en, point.equipment.name.en, unitOf(point), sorted(markers)],
    ]);
    if (point.write)
      expect([point.ref, back.min, back.max]).toEqual([point.ref, point.write.min, point.write.max]);
    expect([point.ref, back.site]).toEqual([point.ref, 'Mill']);
  }
});

test('a gateway reads classes, places, units and BACnet objects back from Turtle', () => {
  const quads = new Parser().parse(texts.turtle);
  expect(quads.length).toBeGreaterThan(model.points.length * 4);
  const brick = quads.filter(({ object }) =>
    object.value.startsWith('https://brickschema.org/schema/Brick#'),
  );
  expect(brick).toHaveLength(model.points.length + model.equipment.length + model.places.length);

  const read = readBack('brick', texts.turtle);
  for (const point of model.points) {
    const back = read.get(`urn:parkline:${account}:${encodeURIComponent(point.ref)}`);
    // A class that says no more than "a sensor" is none of the importer's.
    expect([point.ref, back?.brick]).toEqual([point.ref, point.brickClass]);
    expect([point.ref, back?.name, back?.equipment]).toEqual([
      point.ref,
      point.name.en,
      point.equipment.name.en,
    ]);
    if (point.equipment.protocol === 'bacnet')
      expect([point.ref, back?.protocol, back?.device, back?.address]).toEqual([
        ...[point.ref, 'bacnet', point.equipment.params['device'], point.address],
      ]);
  }
});

test.each([
  ['point and zone and temp', ['m-vav.zone_air_temperature', 'm-vav.zone_air_temperature_setpoint']],
  ['point and elec and siteRef==@mill and equipRef==@equip:m-101 and import and not ratePeak', undefined],
  ['equipRef->ahu and temp and discharge and sensor', ['m-ahu.supply_air_temperature']],
])('%s finds what an engineer means', (filter, expected) => {
  const byRef = new Map(
    [...model.places, ...model.equipment, ...model.points].map(({ ref, tags }) => [ref, tags]),
  );
  const matches = parseFilter(filter, (ref) => byRef.get(ref));
  const found = model.points.filter(({ tags }) => matches(tags)).map(({ ref }) => ref);
  if (expected) expect(found).toEqual(expected);
  else expect(found.every((ref) => ref.startsWith('equip:m-101.')) && found.length > 0).toBe(true);
});

test('meters are found by what they meter and where', () => {
  const matches = parseFilter('elec and meter and siteRef==@mill', () => undefined);
  const found = model.equipment.filter(({ tags }) => matches(tags)).map(({ key }) => key);
  expect(found).toEqual(['m-101', 'm-102', 'm-main']);
});
