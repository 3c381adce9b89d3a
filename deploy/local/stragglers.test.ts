import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { saveProcesses, waitForStragglers } from './stragglers.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parkline-processes-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('nothing is waited for where nothing ran', async () => {
  await waitForStragglers(join(folder, 'processes.json'), 0);
});

test('a straggler is waited for, and killed when it does not go', async () => {
  const file = join(folder, 'processes.json');
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const gone = once(child, 'exit');
  await saveProcesses(file, new Map([['sleeper', child.pid!]]));
  await waitForStragglers(file, 100);
  expect((await gone)[1]).toBe('SIGKILL');
});

test('a stranger who got the same id is left alone', async () => {
  const file = join(folder, 'processes.json');
  await writeFile(file, JSON.stringify([{ name: 'api', pid: process.pid, born: '1' }]));
  await waitForStragglers(file, 0);
});
