import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { scratchFolder } from './scratch.ts';
import { openSlots, writeProgramState } from './slots.ts';

const launcher = join(import.meta.dirname, 'launcher.ts');
const release = '0'.repeat(64);

let home: ReturnType<typeof scratchFolder>;
let child: ChildProcess | undefined;

beforeEach(() => {
  home = scratchFolder();
});
afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  home[Symbol.dispose]();
});

/** Slot a works; slot b is on trial. */
function slotsWith(b: string): void {
  const folder = join(home.path, 'program');
  const programs = { a: `console.log('a works'); setInterval(() => {}, 1000);`, b };
  for (const [slot, code] of Object.entries(programs)) {
    mkdirSync(join(folder, slot, 'lib'), { recursive: true });
    writeFileSync(join(folder, slot, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, slot, 'lib/main.js'), code);
  }
  const trial = { release, version: '1.1.0', previous: 'a', previousVersion: '1.0.0' } as const;
  writeProgramState(folder, {
    ...{ format: 1, current: 'b', version: '1.1.0', highest: '1.0.0', offerAt: 0, untold: [] },
    trial: { ...trial, starts: 0, required: [], needsCloud: false },
  });
}

/** Starts the launcher; resolves with all it printed so far when `wanted` comes. A busy machine needs long to start a program that does not hang. */
async function until(wanted: string, hangMs = 20_000): Promise<string[]> {
  const options = ['--home', home.path, '--hang-ms', String(hangMs), '--pause-ms', '1'];
  child = spawn(process.execPath, [launcher, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout!)) {
    lines.push(line);
    if (line.includes(wanted)) return lines;
  }
  throw new Error(`it ended without ${wanted}: ${lines.join('\n')}`);
}

const outcome = () => {
  const { current, trial, untold, highest } = openSlots(join(home.path, 'program')).state();
  return { current, trial, highest, told: untold.map(({ state, why }) => `${state}: ${why}`) };
};

test('a release that crashes is started three times, then the one before runs again', async () => {
  slotsWith(`console.log('b tries'); process.exit(1);`);
  const lines = await until('a works');
  expect(lines.filter((line) => line === 'b tries')).toHaveLength(3);
  expect(outcome()).toEqual({
    ...{ current: 'a', trial: null, highest: '1.0.0' },
    told: ['rolled-back: it was started 3 times without becoming healthy'],
  });
}, 30_000);

test('a release that hangs is ended, and the one before runs again', async () => {
  slotsWith(`process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000);`);
  await until('a works', 400);
  expect(outcome().told).toEqual(['rolled-back: it hung: no word of its health in time']);
}, 30_000);

test('a release that takes itself back makes way at once, and the launcher stops when asked', async () => {
  slotsWith(`
    import { readFileSync, writeFileSync } from 'node:fs';
    const path = process.env.PARKLINE_PROGRAM + '/state.json';
    const state = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...state, current: 'a', version: '1.0.0', trial: null }));
    process.exit(75);`);
  await until('a works');
  expect(outcome()).toMatchObject({ current: 'a', trial: null, told: [] });
  const ended = once(child!, 'exit');
  child!.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
}, 30_000);
