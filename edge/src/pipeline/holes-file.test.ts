import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../testing/scratch.ts';
import { createHolesFile } from './holes-file.ts';

const memory = { p: { lastAt: 7, holes: [[1, 5]] as const } };

test('what was kept is there again, and nothing else', async () => {
  using home = scratch();
  const folder = join(home.path, 'drivers');
  await createHolesFile(folder).save(memory);
  expect(await createHolesFile(folder).load()).toEqual(memory);
  expect(readdirSync(folder)).toEqual(['@history.json']);
});

test.each(['', '{"p":', '{"p":{"lastAt":"x"}}', '[1]'])('a file that says %j is no memory', async (text) => {
  using home = scratch();
  writeFileSync(join(home.path, '@history.json'), text);
  expect(await createHolesFile(home.path).load()).toEqual({});
});

test('without a file there is no memory', async () => {
  using home = scratch();
  expect(await createHolesFile(join(home.path, 'none')).load()).toEqual({});
});
