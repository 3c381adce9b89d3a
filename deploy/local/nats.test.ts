import { describe, expect, test } from 'vitest';
import { fileStoreLimit, shouldUnlatch } from './nats.ts';

const roomy = { freeBytes: 50, totalBytes: 100 };
const stuck = { ok: false, why: 'JetStream stream "UP" write error: no space left on device' } as const;

describe('shouldUnlatch', () => {
  test.each([
    ['a stuck stream with room on the disk', stuck, roomy, 0, undefined, true],
    ['a healthy server', { ok: true } as const, roomy, 0, undefined, false],
    ['a disk that is still full', stuck, { freeBytes: 5, totalBytes: 100 }, 0, undefined, false],
    ['a restart a minute ago', stuck, roomy, 60_000, 0, false],
    ['a restart five minutes ago', stuck, roomy, 300_000, 0, true],
    [
      'a server that does not answer',
      { ok: false, why: 'fetch failed' } as const,
      roomy,
      0,
      undefined,
      false,
    ],
  ])('%s', (_what, health, disk, now, last, expected) => {
    expect(shouldUnlatch(health, disk, now, last)).toBe(expected);
  });
});

test('streams may take four fifths of the free space, and no more than 8 GB', () => {
  expect(fileStoreLimit({ freeBytes: 1000, totalBytes: 2000 })).toBe(800);
  expect(fileStoreLimit({ freeBytes: 1e12, totalBytes: 2e12 })).toBe(8 * 1024 ** 3);
});
