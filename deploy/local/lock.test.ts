import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeLock } from './lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parkline-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('one holder at a time, and a released lock can be taken again', () => {
  const file = join(folder, 'lock');
  const first = takeLock(file);
  expect(first).toBeDefined();
  expect(takeLock(file)).toBeUndefined();
  first?.release();
  const second = takeLock(file);
  expect(second).toBeDefined();
  second?.release();
});

test('a holder that is killed leaves no lock behind', async () => {
  const file = join(folder, 'lock');
  const module = new URL('./lock.ts', import.meta.url).href;
  const script = `const { takeLock } = await import(${JSON.stringify(module)}); takeLock(${JSON.stringify(file)}); console.log('held'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  expect(takeLock(file)).toBeUndefined();
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const lock = takeLock(file);
  expect(lock).toBeDefined();
  lock?.release();
});
