import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readOrMake, writeWhole } from './files.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'parkline-files-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

test('several that make one secret at once agree on it', async () => {
  const file = join(folder, 'key');
  let made = 0;
  const texts = await Promise.all(Array.from({ length: 20 }, () => readOrMake(file, () => `key ${++made}`)));
  expect(new Set(texts)).toEqual(new Set([await readFile(file, 'utf8')]));
  expect(await readdir(folder)).toEqual(['key']);
});

test('a file is replaced whole and leaves no draft', async () => {
  const file = join(folder, 'run.json');
  await writeWhole(file, 'old');
  await writeWhole(file, 'new');
  expect(await readFile(file, 'utf8')).toBe('new');
  expect(await readdir(folder)).toEqual(['run.json']);
});
