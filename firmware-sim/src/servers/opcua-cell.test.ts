import { expect, test } from 'vitest';
import type { DataTypeName } from '../tables/opcua-table.ts';
import { createCells } from './opcua-cell.ts';

function show(as: DataTypeName, value: number, weight = 1, digits = 3) {
  const [cell] = createCells({
    key: 'lift',
    address: { root: 'Lift' },
    table: { device: 'x', variables: [{ name: 'A', as, quantity: 'a', weight, digits }] },
    quantities: new Map([['a', () => value]]),
  });
  const { raw, value: shown } = cell!.show(0);
  expect(cell!.valueOf(raw)).toBe(shown); // What is logged is what a client makes of it.
  return [raw, shown];
}

test.each([
  ['Int16', 1.2345, 0.001, 3, 1235, 1.235],
  ['Int16', 99_999, 1, 3, 32_767, 32_767],
  ['Int16', -0.2, 1, 3, 0, 0],
  ['UInt16', -1, 1, 3, 0, 0],
  ['UInt32', 4e9, 1, 3, 4e9, 4e9],
  ['Boolean', 1, 1, 3, true, 1],
  ['Boolean', 0.4, 1, 3, false, 0],
  ['Float', 4.26789, 0.001, 1, 4267.9, 4.2679],
  ['Double', 4.26789, 1, 2, 4.27, 4.27],
  ['Double', NaN, 1, 2, null, null],
  ['Int32', Infinity, 1, 2, null, null],
] as const)('a %s shows %d (weight %d, %d digits)', (as, value, weight, digits, raw, shown) => {
  expect(show(as, value, weight, digits)).toEqual([raw, shown]);
});

test('a model without a quantity of its table is refused by name', () => {
  const table = {
    device: 'x',
    variables: [{ name: 'A', as: 'Int16', quantity: 'a', weight: 1, digits: 0 }],
  } as const;
  expect(() => createCells({ key: 'lift', address: {}, table, quantities: new Map() })).toThrow(
    'lift: the model has no a',
  );
});

test('what is written holds from then on, within what the device takes, whatever the model says', () => {
  const variable = {
    name: 'A',
    as: 'Int16',
    quantity: 'a',
    weight: 0.1,
    digits: 0,
    moveInto: [10, 30],
  } as const;
  const [cell] = createCells({
    key: 'lift',
    address: { root: 'Lift' },
    table: { device: 'x', variables: [variable] },
    quantities: new Map([['a', (t: number) => t / 10]]),
  });
  cell!.override(20, 100);
  cell!.override(50, 200);
  expect([99, 100, 199, 200].map((t) => cell!.show(t))).toEqual([
    { raw: 99, value: 9.9 },
    { raw: 20, value: 2 },
    { raw: 20, value: 2 },
    { raw: 30, value: 3 },
  ]);
});
