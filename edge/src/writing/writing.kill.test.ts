import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Command } from '@parkline/contract';
import { describe, expect, test } from 'vitest';
import { command, writesTo } from '../testing/commands.ts';
import { scratch } from '../testing/scratch.ts';
import type { CommandEvent } from './journal.ts';

const program = join(import.meta.dirname, '../testing/write-once.ts');

/** Runs the gateway's writing until it dies at its failpoint, or has told `results` results. @returns what it told. */
async function run(folder: string, order: Command, { failpoint = '', results = Infinity }) {
  const args = [program, '--folder', folder, '--command', JSON.stringify(order), '--failpoint', failpoint];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const told: CommandEvent[] = [];
  for await (const line of createInterface(child.stdout)) {
    told.push(JSON.parse(line) as CommandEvent);
    if (told.length === results) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return told;
}

/** The same command comes again after every kill, as it would from a cloud that is not sure. */
const fresh = (holdS = 600): Command =>
  command({ issuedAt: Date.now(), expiresAt: Date.now() + 60_000, value: 22.5, holdS });

describe('a gateway killed while it carries a command out', () => {
  test.each([
    ['before-journal', [], 'failed', null, 'not written: the gateway stopped'],
    [
      'after-journal',
      [],
      'failed',
      20,
      'nobody knows whether it was written (the gateway stopped); read back: 20',
    ],
    [
      'after-write',
      [22.5],
      'failed',
      22.5,
      'nobody knows whether it was written (the gateway stopped); read back: 22.5',
    ],
    ['before-result', [22.5], 'done', 22.5, ''],
  ])('at %s writes at most once and tells what it knows', async (place, writes, outcome, after, why) => {
    using home = scratch();
    const order = fresh();
    expect(await run(home.path, order, { failpoint: `${place}:crash@1` })).toEqual([]);
    expect(writesTo(join(home.path, 'device'))).toEqual(writes);
    const told = await run(home.path, order, { results: 1 });
    expect(told).toMatchObject([{ commandId: order.id, outcome, after, why }]);
    expect(writesTo(join(home.path, 'device'))).toEqual(writes);
  });

  test('the point is given back in time although nobody knows whether it was written', async () => {
    using home = scratch();
    const order = fresh(1);
    await run(home.path, order, { failpoint: 'after-write:crash@1' });
    const told = await run(home.path, order, { results: 2 });
    expect(told.map(({ outcome }) => outcome)).toEqual(['failed', 'released']);
    expect(writesTo(join(home.path, 'device'))).toEqual([22.5, null]);
  });
});
