import { expect, test } from 'vitest';
import { isAtLeast } from './nats-server.ts';

test.each([
  ['2.15.1', '2.14.0', true],
  ['2.14.0', '2.14.0', true],
  ['2.9.10', '2.10.0', false],
  ['2.10.27', '2.14.0', false],
  ['3.0.0', '2.14.9', true],
])('%s is at least %s: %s', (version, floor, expected) => {
  expect(isAtLeast(version, floor)).toBe(expected);
});
