// Subscribed updates through the driver against the library's own monitored items, from the same server in turn.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Tally, Task } from './opcua-client.ts';
import { type BenchResult, machine, median, round, spread } from './report.ts';

const RUNS = 5;
const POINTS = 1_000;
const here = import.meta.dirname;

export async function run(progress: (text: string) => void): Promise<BenchResult> {
  const server = spawn(process.execPath, [join(here, 'opcua-server.ts'), String(POINTS)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const place = JSON.parse(await firstLine(server)) as Pick<Task, 'endpointUrl' | 'fingerprint' | 'pid'>;
    const task: Task = { ...place, points: POINTS, samplingMs: 50, publishingMs: 100, forMs: 4_000 };
    const [ours, raw]: [Tally[], Tally[]] = [[], []];
    for (let n = 0; n < RUNS; n += 1) {
      const sides = [
        async () => ours.push(await measure('ours', task)),
        async () => raw.push(await measure('raw', task)),
      ];
      for (const side of n % 2 === 0 ? sides : sides.reverse()) await side();
      progress(
        `run ${n + 1}: ours ${Math.round(rate(ours[n]!))}, raw ${Math.round(rate(raw[n]!))} updates/s`,
      );
    }
    return summary(ours, raw, task);
  } finally {
    server.stdin.end();
  }
}

async function measure(side: 'ours' | 'raw', task: Task): Promise<Tally> {
  const client = spawn(
    process.execPath,
    ['--expose-gc', join(here, 'opcua-client.ts'), side, JSON.stringify(task)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const tally = JSON.parse(await firstLine(client)) as Tally;
  if (client.exitCode === null) await once(client, 'exit');
  return tally;
}

/** @throws Error when the process ends without one. */
async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  const ended = once(child, 'close');
  for (;;) {
    const next = await Promise.race([once(child.stdout!, 'data'), ended.then(() => undefined)]);
    if (!next) throw new Error('a process of the benchmark ended without a word');
    text += String(next[0]);
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'));
  }
}

const rate = ({ updates, seconds }: Tally): number => updates / seconds;
const cpu = ({ updates, clientCpuUs, serverCpuUs }: Tally): number => (clientCpuUs + serverCpuUs) / updates;
const clientCpu = ({ updates, clientCpuUs }: Tally): number => clientCpuUs / updates;
const kib = ({ heapBytes }: Tally): number => (heapBytes / 1_024 / POINTS) * 1_000;

function summary(ours: readonly Tally[], raw: readonly Tally[], task: Task): BenchResult {
  const ratios = ours.map((tally, n) => rate(tally) / rate(raw[n]!));
  const side = (runs: readonly Tally[]) => ({
    median: Math.round(median(runs.map(rate))),
    unit: 'updates/s',
    cpu_us_per_item: round(median(runs.map(cpu))),
    client_cpu_us_per_item: round(median(runs.map(clientCpu))),
    heap_kib_per_1000_points: Math.round(median(runs.map(kib))),
  });
  return {
    bench: 'opcua',
    ratio: round(median(ratios)),
    better: 'higher',
    spread: round(spread(ratios)),
    runs: RUNS,
    ours: side(ours),
    raw: side(raw),
    machine: machine(),
    versions: { node: process.version, 'node-opcua-client': versionOf('node-opcua-client') },
    notes:
      `${POINTS} points, each sampled every ${task.samplingMs} ms and changed at every look, published every ${task.publishingMs} ms ` +
      `over SignAndEncrypt by one simulated server; ${task.forMs} ms a run, the two sides in turn, each in a process of its own. ` +
      `raw is node-opcua-client with one group of monitored items. The server sets the pace: client_cpu_us_per_item is what the ` +
      `sides differ in; cpu_us_per_item counts the server, too. heap_kib_per_1000_points is what the subscription holds.`,
  };
}

function versionOf(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  const folder = entry.slice(0, entry.lastIndexOf(`node_modules/${name}/`));
  const manifest = readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
