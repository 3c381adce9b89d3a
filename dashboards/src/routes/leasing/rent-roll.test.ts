import { expect, test } from 'vitest';
import { letArea } from './rent-roll.ts';

const space = (kind: 'unit' | 'common', areaM2: number, tenantId: string | null) => ({
  kind,
  areaM2,
  tenantId,
});

test('what is let is counted of what can be let, to the hundredth', () => {
  const spaces = [
    space('unit', 0.1, 'a'),
    space('unit', 0.2, 'b'),
    space('unit', 0.3, null),
    space('common', 50, null),
  ];
  expect(letArea(spaces)).toEqual({ all: 0.6, leased: 0.3, percent: 50 });
  expect(letArea([])).toEqual({ all: 0, leased: 0, percent: 0 });
});
