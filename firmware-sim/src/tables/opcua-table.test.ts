import { expect, test } from 'vitest';
import { parseOpcuaTable, readOpcuaTable } from './opcua-table.ts';

test('reads the elevator that comes with the simulator', () => {
  const { variables } = readOpcuaTable('elevator/generic-opcua');
  expect(variables.find(({ quantity }) => quantity === 'car_speed')).toEqual({
    name: 'CarSpeed',
    as: 'Int16',
    quantity: 'car_speed',
    weight: 0.001,
    digits: 3,
  });
});

const table = (rows: string, protocol = 'opcua'): string =>
  `device: x\nprotocol: ${protocol}\nvariables:\n${rows}`;

test.each([
  ['another protocol', table('  - { name: A, as: Int16, quantity: a }', 'modbus'), /protocol is modbus/],
  ['a type that OPC UA has not', table('  - { name: A, as: INT16, quantity: a }'), /no data type INT16/],
  ['a name of every object', table('  - { name: A, as: toString, quantity: a }'), /no data type toString/],
  ['a weight of nothing', table('  - { name: A, as: Int16, quantity: a, weight: 0 }'), /weight 0/],
  ['half a digit', table('  - { name: A, as: Float, quantity: a, digits: 0.5 }'), /digits 0.5/],
  [
    'half a right',
    table('  - { name: A, as: Int16, quantity: a, writable: some }'),
    /writable is all or others/,
  ],
  ['limits upside down', table('  - { name: A, as: Int16, quantity: a, moveInto: [3, 1] }'), /moveInto 3..1/],
  ['a history without steps', table('  - { name: A, as: Int16, quantity: a, historyMs: 0 }'), /historyMs 0/],
  [
    'a unit in words',
    table('  - { name: A, as: Int16, quantity: a, unit: { code: kW, text: kW } }'),
    /no unit code kW/,
  ],
  [
    'a name twice',
    table('  - { name: A, as: Int16, quantity: a }\n  - { name: A, as: Int16, quantity: b }'),
    /two variables A/,
  ],
  [
    'a quantity twice',
    table('  - { name: A, as: Int16, quantity: a }\n  - { name: B, as: Int16, quantity: a }'),
    /two variables show a/,
  ],
])('refuses %s', (_what, text, why) => {
  expect(() => parseOpcuaTable(text, 'x/y')).toThrow(why);
});
