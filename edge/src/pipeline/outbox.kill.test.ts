import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTestOutbox, scratch } from '../testing/scratch.ts';

const program = join(import.meta.dirname, '../testing/append-forever.ts');

/** Lets a child append until it has told `count` numbers, then kills it in mid-flow. @returns what it told. */
async function appendAndKill(folder: string, count: number): Promise<number[]> {
  const child = spawn(process.execPath, [program, '--folder', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const told: number[] = [];
  let rest = '';
  // Raw and to its end: readline's iterator, paused by a slow reader, drops what is left when the child dies.
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    told.push(...lines.map(Number));
    if (told.length >= count) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return told;
}

test('ten kills in mid-flow: every number that was told is there, once, with its bytes', async () => {
  using home = scratch();
  const told: number[] = [];
  for (let kill = 0; kill < 10; kill += 1) told.push(...(await appendAndKill(home.path, 40 + 37 * kill)));

  const outbox = openTestOutbox(home.path);
  const stored = outbox.waiting(0, 1_000_000);
  expect(new Set(told).size).toBe(told.length);
  expect(told.filter((seq) => !stored.includes(seq))).toEqual([]);
  // Each kill may leave at most one message that is on disk and was not told; none was written twice or skipped.
  expect(stored.length - told.length).toBeLessThanOrEqual(10);
  expect(stored).toEqual(Array.from({ length: outbox.lastSeq() }, (_, i) => i + 1));
  for (const seq of stored) expect(Buffer.from(outbox.envelope(seq)!).toString()).toBe(String(seq));
  outbox.close();
}, 180_000);
