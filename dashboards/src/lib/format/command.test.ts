import { expect, test } from 'vitest';
import { formatCommandValue, reasonCode } from './command.ts';

test('a value is said with its unit, a state in its words', () => {
  expect(formatCommandValue({ unit: '°C', decimals: 1 }, 18.5, 'en')).toMatch(/^18\.5\s°C$/);
  expect(formatCommandValue({ unit: '1', decimals: 0, states: { 0: 'closed', 1: 'open' } }, 0, 'en')).toBe(
    'closed',
  );
  expect(formatCommandValue({ unit: '1', decimals: 0, states: { 1: 'open' } }, 7, 'en')).toBe('7');
});

test('the code of a reason stands before its sentence; free words have none', () => {
  expect(reasonCode('read-only: the point is not declared writable')).toBe('read-only');
  expect(reasonCode('priority 5 is in force')).toBeUndefined();
  expect(reasonCode(null)).toBeUndefined();
});
