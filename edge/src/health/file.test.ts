import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayHealth } from '@parkline/contract';
import { expect, test } from 'vitest';
import { scratch } from '../testing/scratch.ts';
import { readHealth, writeHealth } from './file.ts';

const health: GatewayHealth = {
  ...{ gatewayId: '018f0000-0000-7000-8000-000000000001', at: 100_000, startedAt: 1, version: '0.1.0' },
  outbox: { pending: 0, oldestAt: null, bytes: 0, maxBytes: 1 },
  devices: [],
};

test('what a running gateway said is read while it is fresh', () => {
  using home = scratch();
  const path = join(home.path, 'health.json');
  writeHealth(path, health);
  expect(readHealth(path, 120_000)).toEqual(health);
  expect(readHealth(path, 140_000)).toBeUndefined();
});

test('no file, a foreign one, and a folder that is gone are nothing', () => {
  using home = scratch();
  const path = join(home.path, 'health.json');
  expect(readHealth(path, 100_000)).toBeUndefined();
  writeFileSync(path, '{"at":100000}');
  expect(readHealth(path, 100_000)).toBeUndefined();
  writeHealth(join(home.path, 'gone', 'health.json'), health);
});
