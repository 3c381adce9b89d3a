import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { schemaErrors } from './faults.ts';

test('the twentieth fault is told like the first', () => {
  const bad = Array.from({ length: 20 }, () => 'not a number');
  const paths = schemaErrors(Type.Array(Type.Number()), bad).map(({ instancePath }) => instancePath);
  expect(paths).toHaveLength(20);
  expect(paths.at(-1)).toBe('/19');
});
