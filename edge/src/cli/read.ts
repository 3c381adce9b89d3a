import type { Command } from 'commander';
import { addLinkOptions } from '../bench/link-options.ts';
import { type BenchOptions, choosePoints } from '../bench/open.ts';
import { asJson, withBench } from '../bench/run.ts';
import { type Reading, readingOf, valueWords } from '../bench/reading.ts';
import { exit, type Io, table } from './io.ts';

type Options = BenchOptions & { readonly json?: true };

/** `parkline read`: what points show now. */
export function register(program: Command, io: Io): void {
  addLinkOptions(
    program
      .command('read')
      .description('read points of a device once')
      .argument('<from>', 'protocol, with options that say where; or a device of the gateway, by name or id')
      .argument(
        '[points...]',
        "addresses in the driver's own syntax, or keys of the template; all known ones",
      ),
  )
    .option('--template <id>', 'template that lists the points: three-phase-meter/eastron-sdm630')
    .option('--json', 'print one JSON array')
    .addHelpText(
      'after',
      `
Examples:
  parkline read modbus --tcp 192.168.1.20 --unit 3 hr:0:f32 hr:52:f32
  parkline read modbus --tcp 192.168.1.20 --unit 3 --template three-phase-meter/eastron-sdm630
  parkline read bacnet --who-is 192.168.1.255 --instance 2001 analog-input,1
  parkline read "Air handling unit 1" --home /var/lib/parkline

Exit code 0: all good; 3: some are not; 1: none.`,
    )
    .action((from: string, points: string[], options: Options) => run(io, from, points, options));
}

async function run(io: Io, from: string, words: readonly string[], options: Options): Promise<void> {
  await withBench(io, from, options, async (bench, signal) => {
    const points = choosePoints(bench, words);
    const samples = await bench.device().read(
      points.map(({ ref }) => ref),
      signal,
    );
    const readings = points.map((point, n) => readingOf(point, samples[n]!));
    io.out(options.json ? asJson(readings) : rowsOf(readings));
    const good = readings.filter(({ quality }) => quality === 'good').length;
    if (good < readings.length) process.exitCode = good === 0 ? exit.failed : exit.partial;
  });
}

const rowsOf = (readings: readonly Reading[]): string =>
  table(
    ['POINT', 'VALUE', 'QUALITY', 'ADDRESS', 'AT'],
    readings.map((reading) => [
      ...[reading.name, valueWords(reading), [reading.quality, reading.why].filter(Boolean).join(': ')],
      ...[reading.address, reading.at],
    ]),
  );
