import { describe, expect, test } from 'vitest';
import { byKey, faultsOf, fixture, parse } from './testing.ts';

const head = '#keyname;device obj.-instance;object-name;object-type;object-instance';
const file = (...rows: string[]): string => [head, ...rows].join('\n');

test('a file of layout 2.3 in Latin-1 with its state texts becomes points', () => {
  const parsed = parse('ede', fixture('ede/north_EDE.csv'), {
    companions: { StateTexts: fixture('ede/north_StateTexts.csv') },
  });
  expect(parsed.faults).toEqual([]);
  expect(parsed.found.map(({ row, point }) => [row, point.address])).toEqual([
    [10, 'analog-input,1'],
    [11, 'analog-value,4'],
    [12, 'binary-output,2'],
    [13, 'multi-state-value,7'],
    [14, 'accumulator,1'],
    [15, 'analog-input,9'],
  ]);
  expect(byKey(parsed)).toMatchObject({
    '2001/N_TSA': { description: 'Außenlufttemperatur', equipment: 'Lüftungszentrale Süd', unit: '°C', min: -40, max: 60 },
    '2001/N_TSP': { description: 'Sollwert; Zuluft', writable: true, min: 16, max: 28 },
    '2001/N_FAN': { kind: 'state', states: [[0, 'aus'], [1, 'ein']] },
    '2001/N_MODE': { states: [[1, 'Aus'], [2, 'Auto'], [3, 'Hand']] },
    '2001/N_KWH': { kind: 'register', unit: 'kWh', sourceUnit: 'kilowatt-hours' },
    // 1 inch of water at 4 °C: 249.08891 Pa (ISO 80000-4).
    '2001/N_PRES': { unit: 'Pa', scale: 249.08891 },
  }); // prettier-ignore
});

describe.each([[';'], [','], ['\t']])('parted by %j', (sign) => {
  test('the heading of layout 2.2 is found below any preamble', () => {
    const rows = [
      'PROJECT_NAME;x',
      'VERSION_OF_LAYOUT;2.2',
      '# keyname;device obj.-instance;object-name;object-type;object-instance;description;commandable;unit-code',
      'a;7;A;0;3;"one, two; three";N;62',
    ];
    const text = rows.map((row) => row.replaceAll(/;(?=(?:[^"]*"[^"]*")*[^"]*$)/g, sign)).join('\r\n');
    const { found, faults } = parse('ede', text);
    expect(faults).toEqual([]);
    expect(found).toMatchObject([
      { row: 4, point: { key: '7/a', description: 'one, two; three', unit: '°C' } },
    ]);
  });
});

test.each([
  ['a name', ';7;A;0;3', '2 keyname'],
  ['a device', 'a;;A;0;3', '2 device obj.-instance'],
  ['an object name', 'a;7;;0;3', '2 object-name'],
  ['a type', 'a;7;A;;3', '2 object-type'],
  ['an instance', 'a;7;A;0;', '2 object-instance'],
])('a row without %s is a fault of its own', (_what, row, fault) => {
  const parsed = parse('ede', file(row, 'b;7;B;0;4'));
  expect(faultsOf(parsed)).toEqual([fault]);
  expect(Object.keys(byKey(parsed))).toEqual(['7/b']);
});

test.each([
  ['words for a number', 'a;seven;A;0;3', '3 device obj.-instance'],
  ['an instance that means none', 'a;7;A;0;4194303', '3 object-instance'],
  ['a type nobody knows', 'a;7;A;gizmo;3', '3 object-type'],
  ['a reserved type', 'a;7;A;99;3', '3 object-type'],
  ['a maker’s type that nothing names', 'a;7;A;999;3', '3 object-type'],
  ['a keyname again', 'one;7;A;0;3', '3 keyname'],
  ['an object again', 'a;7;A;0;1', '3 object-instance'],
  ['a formula', "=cmd|'/c calc'!A0;7;A;0;3", '3 keyname'],
])('%s is refused by row and column', (_what, row, fault) => {
  const parsed = parse('ede', file('one;7;One;0;1', row));
  expect(faultsOf(parsed)).toEqual([fault]);
  expect(parsed.found.map(({ row }) => row)).toEqual([2]);
});

test('a maker’s own type is a point where the companion names it', () => {
  const parsed = parse('ede', file('a;7;A;130;3'), { companions: { ObjTypes: '#code;name\n130;Gizmo' } });
  expect(byKey(parsed)).toMatchObject({ '7/a': { address: '130,3' } });
});

test('types may be names or the letters of a controller', () => {
  const parsed = parse('ede', file('a;7;A;Analog Input;3', 'b;7;B;MSV;4', 'c;7;C;OBJECT_BINARY_VALUE;5'));
  expect(parsed.found.map(({ point }) => point.address)).toEqual(['analog-input,3', 'multi-state-value,4', 'binary-value,5']); // prettier-ignore
});

test('limits follow the unit of the point', () => {
  const text = `${head};min-present-value;max-present-value;unit-code\na;7;A;0;3;32;212;64`;
  expect(byKey(parse('ede', text))['7/a']).toMatchObject({ unit: '°C', min: 0, max: 100 });
});

test('a state text that the companion does not have is a fault', () => {
  const text = `${head};state-text-reference\na;7;A;13;3;9`;
  expect(faultsOf(parse('ede', text, { companions: { StateTexts: '1;a;b' } }))).toEqual([
    '2 state-text-reference',
  ]);
});

test('two columns of one name, or a missing one, stop the import', () => {
  expect(faultsOf(parse('ede', `${head};object-type\na;7;A;0;3;0`))).toEqual(['1 object-type']);
  expect(faultsOf(parse('ede', 'x\n#keyname;object-name;object-type;object-instance\na;A;0;3'))).toEqual(['2 device obj.-instance']);
  expect(parse('ede', 'hello').faults).toMatchObject([{ row: 1, field: 'header' }]);
}); // prettier-ignore
