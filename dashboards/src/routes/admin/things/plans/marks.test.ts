import { expect, test } from 'vitest';
import { firstRing, ringOf, ringText, settled, withDevice, withSpace } from './marks.ts';

const empty = { spaces: [], devices: [] };

test('a device is put once, moved, and taken off', () => {
  const put = withDevice(empty, 'a', [0.5, 1.7]);
  expect(put.devices).toEqual([{ equipmentId: 'a', at: [0.5, 1] }]);
  expect(withDevice(put, 'a', [-1, 0.25]).devices).toEqual([{ equipmentId: 'a', at: [0, 0.25] }]);
  expect(withDevice(put, 'a', undefined)).toEqual(empty);
});

test('an outline is typed in per cent and read back the same', () => {
  const ring = ringOf('10 20; 30,20\n 30.05 40.1')!;
  expect(ring).toEqual([
    [0.1, 0.2],
    [0.3, 0.2],
    [0.3005, 0.401],
  ]);
  expect(ringOf(ringText(ring))).toEqual(ring);
  expect(withSpace(withSpace(empty, 's', firstRing.map(settled)), 's', undefined)).toEqual(empty);
});

test.each(['', '10 20; 30 40', '10 20; 30 40; 50', '10 20; 30 40; 110 5', 'a b; c d; e f'])(
  'what is no outline is none: %s',
  (text) => expect(ringOf(text)).toBeUndefined(),
);
