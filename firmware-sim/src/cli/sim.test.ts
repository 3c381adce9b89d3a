import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { demo } from '../models/testing.ts';
import { CONTROL, writePorts } from '../ports.ts';
import { createSimulator } from '../simulator.ts';
import { register } from './sim.ts';

const bin = join(import.meta.dirname, '../../../bin/parkline.js');

/** A home as `npm start` leaves it while the simulator runs, and one where nothing runs. */
const running = mkdtempSync(join(tmpdir(), 'sim-cli-'));
const quiet = mkdtempSync(join(tmpdir(), 'sim-cli-'));
const portsIn = (home: string): string => join(home, 'simulator/ports.json');

const park = { ...demo, buses: demo.buses.filter(({ transport }) => transport) };
const simulator = createSimulator({ park, seed: 1 });
beforeAll(async () => {
  for (const home of [running, quiet]) mkdirSync(join(home, 'simulator'));
  writePorts(portsIn(running), await simulator.start());
});
afterEach(async () => {
  for (const { scenario } of simulator.scenarios.list()) await simulator.scenarios.set(scenario.name, false);
});
afterAll(async () => {
  await simulator.stop();
  for (const home of [running, quiet]) rmSync(home, { recursive: true });
});

const sim = (...args: string[]) => simIn(running, ...args);

/** Runs `parkline sim ...` in this process. @returns what it printed. Rejects with its error. */
async function simIn(home: string, ...args: string[]): Promise<{ out: string; err: string }> {
  const said = { out: '', err: '' };
  const program = new Command('parkline').exitOverride();
  register(program, {
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    env: { PARKLINE_HOME: home },
    cwd: home,
  });
  await program.parseAsync(['sim', ...args], { from: 'user' });
  return said;
}

test('lists what can happen, lets it happen and ends it', async () => {
  const lines = (await sim('list')).out.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^NAME +STATE +EXPECTED FAULT +WHAT$/);
  expect(lines).toHaveLength(10);
  expect(lines.slice(1).every((line) => / {2}off {2}/.test(line))).toBe(true);

  expect((await sim('trigger', 'gate-forced')).out).toMatch(/^gate-forced is on\. The barrier is bent up/);
  expect((await sim('trigger', 'gate-forced')).out).toBe('gate-forced was on already\n');
  expect((await sim('list')).out).toMatch(/^gate-forced +on since 20\d\d-.*gate-forced @ gate-b-1/m);
  expect((await sim('clear', 'gate-forced')).out).toBe('gate-forced is off.\n');
  expect((await sim('clear', 'gate-forced')).out).toBe('gate-forced was off already\n');
});

test('says that a replaced meter stays replaced', async () => {
  await sim('trigger', 'meter-replaced');
  expect((await sim('clear', 'meter-replaced')).out).toContain('The meter stays replaced');
});

test('prints JSON for programs', async () => {
  const before = Date.now();
  const answer = JSON.parse((await sim('trigger', 'leak', '--json')).out) as {
    changed: boolean;
    scenario: { since: number };
  };
  expect(answer).toMatchObject({
    changed: true,
    scenario: { name: 'leak', expects: { rule: 'water-leak' } },
  });
  expect(answer.scenario.since).toBeGreaterThanOrEqual(before);
  const list = JSON.parse((await sim('list', '--json')).out) as { name: string; since: number | null }[];
  expect(list.filter(({ since }) => since !== null).map(({ name }) => name)).toEqual(['leak']);
});

test('an unknown scenario is refused with those there are', async () => {
  await expect(sim('trigger', 'flood')).rejects.toThrow(
    'no scenario flood; there are ahu-1-supply-fan-fails',
  );
});

test('says how to start a park where none runs', async () => {
  await expect(simIn(quiet, 'list')).rejects.toThrow(
    'no park is running; start it with npm start (there is no',
  );
  const gone = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => gone.once('listening', resolve));
  const { port } = gone.address() as { port: number };
  await new Promise((resolve) => gone.close(resolve));
  writePorts(portsIn(quiet), { [CONTROL]: { host: '127.0.0.1', port } });
  await expect(simIn(quiet, 'list')).rejects.toThrow(
    'no park is running; start it with npm start (the simulator does not',
  );
  writePorts(portsIn(quiet), {});
  await expect(simIn(quiet, 'list')).rejects.toThrow(`${portsIn(quiet)} names no control port`);
  rmSync(portsIn(quiet));
});

test('says that a park without simulated devices has nothing to let happen', async () => {
  const runFile = join(quiet, 'run.json');
  writeFileSync(runFile, JSON.stringify({ url: 'http://localhost:8080', pid: process.pid }));
  await expect(simIn(quiet, 'list')).rejects.toThrow(
    /^the park at http:\/\/localhost:8080 runs without simulated devices/,
  );
  writeFileSync(runFile, JSON.stringify({ url: 'http://localhost:8080', pid: 2 ** 30 }));
  await expect(simIn(quiet, 'list')).rejects.toThrow('no park is running');
  rmSync(runFile);
});

test.each([
  ['nothing runs', ['list'], 1, /^no park is running/],
  ['a verb that is none', ['dance'], 2, /unknown command 'dance'/],
  ['no name', ['trigger'], 2, /missing required argument 'name'/],
] as const)('as a program it ends with the right code: %s', (_what, args, code, said) => {
  const env = { ...process.env, PARKLINE_HOME: quiet };
  const { status, stderr } = spawnSync(process.execPath, [bin, 'sim', ...args], { env, encoding: 'utf8' });
  expect(stderr).toMatch(said);
  expect(status).toBe(code);
});
