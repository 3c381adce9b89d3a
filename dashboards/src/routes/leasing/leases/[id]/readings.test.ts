import { expect, test } from 'vitest';
import { readingsOf } from './readings.ts';

const meter = (id: string, resolution: number) => ({ id, name: id, spaceName: '', unit: 'kWh', resolution });

test('what a display shows becomes whole counts; what nobody read is left out', () => {
  const meters = [meter('a', 0.01), meter('b', 0.1), meter('c', 1)];
  expect(readingsOf(meters, { a: ' 12,480.57', b: '0.3', c: '' })).toEqual({
    readings: [
      { usagePointId: 'a', counts: 1_248_057 },
      { usagePointId: 'b', counts: 3 },
    ],
    wrong: new Set(),
  });
});

test.each(['-1', '1.55', 'about 3', '1e9', '12,48'])('%j is no reading of a tenth', (typed) => {
  expect(readingsOf([meter('a', 0.1)], { a: typed }).wrong).toEqual(new Set(['a']));
});
