import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLog } from './log-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parkline-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('files are rotated by size, the oldest is dropped and no line of the kept ones is lost', async () => {
  const file = join(folder, 'api.log');
  for (let round = 0; round < 5; round += 1) {
    const log = await openLog(file, { maxBytes: 100, keep: 2 });
    log.write(`${String(round)} ${'x'.repeat(97)}\n`);
    log.write(`after ${round}\n`);
    await log.close();
  }
  expect((await readdir(folder)).sort()).toEqual(['api.log', 'api.log.1', 'api.log.2']);
  const kept = await Promise.all(['.2', '.1', ''].map((end) => readFile(`${file}${end}`, 'utf8')));
  expect(kept.join('')).toMatch(/^after 2\n3 x+\nafter 3\n4 x+\nafter 4\n$/);
});

test('the tail holds the last lines', async () => {
  const log = await openLog(join(folder, 'a.log'), { maxBytes: 1000, keep: 1 });
  log.write('one\ntwo\n');
  log.write('three\n');
  expect(log.tail()).toBe('one\ntwo\nthree');
  await log.close();
});

test('a folder that cannot be written does not throw', async () => {
  const log = await openLog(join(folder, 'missing/a.log'), { maxBytes: 10, keep: 1 });
  log.write('line\n');
  await log.close();
});
