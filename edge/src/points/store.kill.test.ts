import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openPointStore } from './store.ts';

const program = join(import.meta.dirname, '../testing/import-until-killed.ts');

/** Lets a child import, and kills it some milliseconds after it began its second batch. @returns the last batch it told. */
async function importAndKill(path: string, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [program, '--path', path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = 0;
  let starts = 0;
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('done')) told = Number(line.slice(5));
    else if ((starts += 1) === 2) void sleep(afterMs).then(() => child.kill('SIGKILL'));
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return told;
}

test('imports that are killed in mid-flow are there as a whole or not at all', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parkline-points-'));
  const path = join(folder, 'points.sqlite');
  try {
    for (const afterMs of [0, 3, 7, 12, 20]) {
      const told = await importAndKill(path, afterMs);
      const store = openPointStore({ path, busyMs: 5_000, now: () => 0, createId: () => '' });
      const batches = store.batches().length;
      const names = new Set(store.points().map(({ point }) => point.name));
      expect([...names]).toEqual([`round ${batches}`]);
      expect(store.points()).toHaveLength(1_000);
      // The last batch may be on the disk without having been told; nothing that was told is missing.
      expect([told, told + 1]).toContain(batches);
      store.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);
