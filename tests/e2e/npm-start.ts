import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import type { RunFile } from '../../deploy/local/run-file.ts';
import { until } from '../support/park.ts';

const root = join(import.meta.dirname, '../..');
/** The smallest park, without its past: a start of seconds. */
export const quick = ['--park', 'firmware-sim/parks/small.yaml', '--history-months', '0'];

/** `npm start` as a user types it. */
export interface Npm {
  readonly process: ChildProcess;
  output(): string;
  /** The exit code, or the signal that ended npm. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

const started = new Set<Npm>();

/** A test that failed must not leave a park to the ones after it. Once in each file of tests. */
export function endWhatStarted(): void {
  afterEach(async () => {
    for (const { process, ended } of started) {
      process.kill('SIGTERM');
      await ended;
    }
  });
}

export function npmStart(
  home: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Npm {
  const { DATABASE_URL: _database, NATS_URL: _nats, npm_lifecycle_event: _event, ...inherited } = process.env;
  const child = spawn('npm', ['start', '--', ...args], {
    cwd: root,
    env: { ...inherited, PORT: '0', PARKLINE_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  );
  const npm: Npm = { process: child, output: () => output, ended };
  started.add(npm);
  void ended.then(() => started.delete(npm));
  return npm;
}

export async function untilReady(npm: Npm, home: string): Promise<RunFile> {
  await until(
    () => /^ready http/m.test(npm.output()) || npm.process.exitCode !== null,
    120_000,
    `ready; it said:\n${npm.output()}`,
  );
  expect(npm.output()).toMatch(/^ready http:\/\/localhost:\d+/m);
  return JSON.parse(await readFile(join(home, 'run.json'), 'utf8')) as RunFile;
}

/** Every process the start is made of: the starter and what it supervises. */
export async function processesOf(home: string, run: RunFile): Promise<number[]> {
  const text = await readFile(join(home, 'processes.json'), 'utf8');
  return [run.pid, ...(JSON.parse(text) as { pid: number }[]).map(({ pid }) => pid)];
}

export const living = (pids: readonly number[]): number[] => pids.filter((pid) => existsSync(`/proc/${pid}`));
