// Messages of a thousand readings into the outbox, each on disk before the next, against a file that is appended and synced.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Draft, Outbox } from '../../edge/src/pipeline/outbox.ts';
import { type BenchResult, machine, median, round, spread } from './report.ts';
import { benchBatcher, benchOutbox, readings, SAMPLES } from './wire-load.ts';

const RUNS = 7;
const MESSAGES = 400;
const KILLS = 100;
const appender = join(import.meta.dirname, '../../edge/src/testing/append-forever.ts');

interface Tally {
  readonly seconds: number;
  readonly cpuUs: number;
}

export async function run(progress: (text: string) => void): Promise<BenchResult> {
  const [ours, raw]: [Tally[], Tally[]] = [[], []];
  const envelope = oneEnvelope();
  for (let n = 0; n < RUNS; n += 1) {
    using bench = benchOutbox();
    const sides = [
      () => ours.push(measure(() => append(bench.outbox, envelope))),
      () => raw.push(measure(() => appendToFile(join(bench.folder, 'plain.log'), envelope))),
    ];
    for (const side of n % 2 === 0 ? sides : sides.reverse()) side();
    progress(`run ${n + 1}: ours ${rate(ours[n]!)}, raw ${rate(raw[n]!)} samples/s`);
  }
  const killed = await killOften(progress);
  return { ...summary(ours, raw), ...killed };
}

/** The bytes of one message as the gateway makes them. */
function oneEnvelope(): Uint8Array {
  using bench = benchOutbox();
  readings(1).forEach(benchBatcher(bench.outbox).add);
  return bench.outbox.envelope(bench.outbox.lastSeq())!;
}

function append(outbox: Outbox, envelope: Uint8Array): void {
  const draft: Draft = { kind: 'samples', from: 1, to: 2, seal: () => envelope };
  for (let n = 0; n < MESSAGES; n += 1) outbox.append(draft);
}

/** The least that keeps a promise over a power cut. */
function appendToFile(path: string, envelope: Uint8Array): void {
  const file = openSync(path, 'a');
  for (let n = 0; n < MESSAGES; n += 1) {
    writeSync(file, envelope);
    fdatasyncSync(file);
  }
  closeSync(file);
}

function measure(work: () => void): Tally {
  const [began, before] = [performance.now(), process.cpuUsage()];
  work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - began) / 1_000, cpuUs: user + system };
}

/** A child appends until it is killed in mid-flow, again and again on one file: what it said is there must be there, once. */
async function killOften(progress: (text: string) => void) {
  using bench = benchOutbox();
  bench.outbox.close();
  const told: number[] = [];
  for (let kill = 1; kill <= KILLS; kill += 1) {
    told.push(...(await appendAndKill(bench.folder, 20 + (kill % 23))));
    if (kill % 20 === 0) progress(`${kill} kills, ${told.length} messages told`);
  }
  const { openTestOutbox } = await import('../../edge/src/testing/scratch.ts');
  const outbox = openTestOutbox(bench.folder);
  const stored = outbox.waiting(0, 10_000_000);
  outbox.close();
  const kept = new Set(stored);
  return {
    kills: KILLS,
    lost: told.filter((seq) => !kept.has(seq)).length,
    duplicates: told.length - new Set(told).size + stored.length - kept.size,
  };
}

async function appendAndKill(folder: string, count: number): Promise<number[]> {
  const child = spawn(process.execPath, [appender, '--folder', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const told: number[] = [];
  for await (const line of createInterface(child.stdout)) {
    told.push(Number(line));
    if (told.length === count) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return told;
}

const count = MESSAGES * SAMPLES;
const rate = ({ seconds }: Tally): number => Math.round(count / seconds);

function summary(ours: readonly Tally[], raw: readonly Tally[]): BenchResult {
  const ratios = ours.map(({ seconds }, n) => raw[n]!.seconds / seconds);
  const side = (runs: readonly Tally[]) => ({
    median: Math.round(median(runs.map(rate))),
    unit: 'samples/s',
    cpu_us_per_item: round(median(runs.map(({ cpuUs }) => cpuUs / count))),
  });
  return {
    ...{ bench: 'outbox', ratio: round(median(ratios)), better: 'higher', spread: round(spread(ratios)) },
    ...{ runs: RUNS, ours: side(ours), raw: side(raw), machine: machine() },
    versions: { node: process.version, sqlite: process.versions.sqlite ?? '' },
    notes:
      `${MESSAGES} messages of ${SAMPLES} readings a run, synchronous = FULL; raw is write and fdatasync of the same bytes. ` +
      `Then ${KILLS} times kill -9 of a process that appends: lost and duplicates count messages it had reported as taken.`,
  };
}
