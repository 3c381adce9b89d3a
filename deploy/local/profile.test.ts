import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assertProfile, keepProfile } from './profile.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parkline-profile-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a fresh home takes any park', async () => {
  await assertProfile(join(folder, 'profile.json'), undefined);
  await assertProfile(join(folder, 'profile.json'), '/parks/demo.yaml');
});

test.each([
  ['an empty park', undefined, '/parks/demo.yaml', /empty park/],
  ['a simulated park', '/parks/demo.yaml', undefined, /demo\.yaml/],
  ['another simulated park', '/parks/demo.yaml', '/parks/small.yaml', /demo\.yaml/],
])('a home of %s refuses another', async (_what, first, second, named) => {
  const file = join(folder, 'profile.json');
  await keepProfile(file, first);
  await assertProfile(file, first);
  await expect(assertProfile(file, second)).rejects.toThrow(named);
});
