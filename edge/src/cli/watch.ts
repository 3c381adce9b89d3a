import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { type Driver, DriverError, type Sample } from '@parkline/kit';
import { addLinkOptions } from '../bench/link-options.ts';
import { type Bench, type BenchOptions, type BenchPoint, choosePoints } from '../bench/open.ts';
import { asJson, explain, withBench } from '../bench/run.ts';
import { readingOf, valueWords } from '../bench/reading.ts';
import { exit, type Io, number } from './io.ts';

interface Options extends BenchOptions {
  readonly every: number;
  readonly for?: number;
  readonly json?: true;
}

/** A week: longer is the business of a gateway, s. */
const MAX_S = 604_800;

/** `parkline watch`: a line for each change, until somebody has seen enough. */
export function register(program: Command, io: Io): void {
  addLinkOptions(
    program
      .command('watch')
      .description('print every change of points of a device until Ctrl-C')
      .argument('<from>', 'protocol, with options that say where; or a device of the gateway, by name or id')
      .argument(
        '[points...]',
        "addresses in the driver's own syntax, or keys of the template; all known ones",
      ),
  )
    .option('--template <id>', 'template that lists the points')
    .option(
      '--every <s>',
      'seconds between two readings; what a device pushes comes at once',
      number('--every', 0.1, MAX_S),
      2,
    )
    .option('--for <s>', 'end by itself after this many seconds', number('--for', 0.1, MAX_S))
    .option('--json', 'print one JSON object a line')
    .addHelpText(
      'after',
      `
Examples:
  parkline watch modbus --tcp 192.168.1.20 --unit 3 --template three-phase-meter/eastron-sdm630
  parkline watch opcua --endpoint opc.tcp://192.168.1.30:4840 --fingerprint 3f... --for 60 Lift1.Position

Exit code 0: something was seen; 1: nothing.`,
    )
    .action((from: string, points: string[], options: Options) => run(io, from, points, options));
}

async function run(io: Io, from: string, words: readonly string[], options: Options): Promise<void> {
  await withBench(io, from, options, async (bench, stopped) => {
    const points = choosePoints(bench, words);
    const limit = options.for === undefined ? undefined : AbortSignal.timeout(options.for * 1_000);
    const signal = limit ? AbortSignal.any([stopped, limit]) : stopped;
    const seen = createPrinter(io, points, options);
    await Promise.all(watchers(io, bench, points, { options, signal, onSample: seen.take }));
    if (seen.count() === 0) process.exitCode = exit.failed;
  });
}

interface Watching {
  readonly options: Options;
  readonly signal: AbortSignal;
  readonly onSample: (sample: Sample) => void;
}

/** A device that pushes is read as well: what it forgets to tell would look like a value that stands still. */
function watchers(
  io: Io,
  bench: Bench,
  points: readonly BenchPoint[],
  { options, signal, onSample }: Watching,
): Promise<void>[] {
  const driver: Driver = bench.device();
  const refs = points.map(({ ref }) => ref);
  const again = async (work: () => Promise<void>, pauseMs: number): Promise<void> => {
    while (!signal.aborted) {
      await work().catch((error: unknown) => {
        if (!(error instanceof DriverError)) throw error;
        if (!signal.aborted) io.err(`${explain(error)}\n`);
      });
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined); // Ctrl-C ends the pause.
    }
  };
  const polling = again(async () => {
    (await driver.read(refs, signal)).forEach(onSample);
  }, options.every * 1_000);
  const isHeard = driver.subscribe !== undefined && !bench.isReadOnly;
  const pushing = isHeard && again(() => driver.subscribe!(refs, onSample, signal), 2_000);
  return pushing ? [polling, pushing] : [polling];
}

/** Prints what differs from what was printed last. */
function createPrinter(io: Io, points: readonly BenchPoint[], { json }: Options) {
  const byId = new Map(points.map((point) => [point.ref.pointId, point]));
  const last = new Map<string, string>();
  let count = 0;
  return {
    count: () => count,
    take(sample: Sample): void {
      const point = byId.get(sample.pointId);
      const state = `${sample.value} ${sample.quality} ${sample.why ?? ''}`;
      if (!point || last.get(sample.pointId) === state) return;
      last.set(sample.pointId, state);
      count += 1;
      const reading = readingOf(point, sample);
      const { at, name, quality, why } = reading;
      const trouble = quality === 'good' ? '' : `  ${[quality, why].filter(Boolean).join(': ')}`;
      io.out(json ? asJson(reading) : `${at}  ${name}  ${valueWords(reading)}${trouble}\n`);
    },
  };
}
