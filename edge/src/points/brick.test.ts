import { expect, test } from 'vitest';
import { byKey, faultsOf, fixture, parse } from './testing.ts';

const prefixes = `@prefix b: <urn:b#> . @prefix brick: <https://brickschema.org/schema/1.3/Brick#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
`;

test('a BACnet reference becomes an address of a device', () => {
  const parsed = parse('brick', fixture('brick/bacnet.ttl'));
  expect(parsed.faults).toEqual([]);
  expect(parsed.found).toMatchObject([
    { row: 21, point: { name: 'ts1', address: null, unit: '°C', brick: 'Zone_Air_Temperature_Sensor' } },
    { row: 34, point: { name: 'ts2', device: 123, address: 'analog-value,5', protocol: 'bacnet' } },
  ]);
});

test('an object identifier is read with the device it belongs to', () => {
  const text = `${prefixes}@prefix bacnet: <http://data.ashrae.org/bacnet/> . @prefix ref: <https://brickschema.org/schema/Brick/ref#> .
b:d a bacnet:BACnetDevice ; bacnet:device-instance 42 .
b:fan a brick:Fan_On_Off_Status ; ref:hasExternalReference [ bacnet:object-identifier "binary-input,7" ; bacnet:objectOf b:d ] .`;
  expect(byKey(parse('brick', text))['urn:b#fan']).toMatchObject({ device: 42, address: 'binary-input,7', kind: 'state' });
}); // prettier-ignore

test('points of meters know their meter, and where it measures', () => {
  const parsed = parse('brick', fixture('brick/main-and-submeter.ttl'));
  expect(parsed.found.map(({ point }) => [point.name, point.equipment, point.location, point.unit])).toEqual([
    ['building_peak_demand', 'main-meter', 'mybldg', 'kW'],
    ['submeter-floor1-peak-power', 'submeter-floor1', 'floor1', 'kW'],
    ['submeter-floor2-peak-power', 'submeter-floor2', 'floor2', 'kW'],
    ['submeter-floor3-peak-power', 'submeter-floor3', 'floor3', 'kW'],
  ]);
});

test('hasPoint is as good as isPointOf, and a class of the file as good as its parent', () => {
  const text = `${prefixes}b:Mine rdfs:subClassOf brick:Supply_Air_Temperature_Setpoint .
b:ahu a brick:AHU ; rdfs:label "AHU 1" ; brick:hasPoint b:sp .
b:sp a b:Mine ; rdfs:label "Setpoint" .`;
  expect(byKey(parse('brick', text))).toMatchObject({
    'urn:b#sp': {
      name: 'Setpoint',
      equipment: 'AHU 1',
      brick: 'Supply_Air_Temperature_Setpoint',
      writable: true,
    },
  });
});

test('faults have the line of the point', () => {
  const text = `${prefixes}b:ahu a brick:AHU ;
  brick:hasPoint b:bare ,
    [ a brick:CO2_Sensor ] .
b:bare rdfs:label "Bare" .
`;
  expect(faultsOf(parse('brick', text))).toEqual(['6 rdf:type', '3 id']);
});

test.each([
  ['Turtle that breaks off', `${prefixes}b:a a brick:CO2_Sensor ;\n  brick:isPointOf ;;`, '4 turtle'],
  ['an unknown prefix', '\nx:a a x:b .', '2 turtle'],
  ['a model without points', `${prefixes}b:a a brick:AHU .`, '1 rdf:type'],
])('%s is refused with its line', (_what, text, fault) => {
  const parsed = parse('brick', text);
  expect(parsed.found).toEqual([]);
  expect(faultsOf(parsed)[0]).toBe(fault);
});
