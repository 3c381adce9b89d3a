import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { describeRun, presentRun } from '../billing/index.ts';
import type { Decimal } from '../metering/index.ts';
import { registerBooks } from './billing-books.ts';
import { billFolder, collectMultiplier, FILES } from './billing-folder.ts';
import { type Io, terminalLanguage } from './io.ts';

interface Options {
  readonly json?: true;
  readonly vee?: true;
  readonly multiplier: ReadonlyMap<string, Decimal>;
}

/** `parkline billing`: bills from files; `simulate` needs neither server nor database. */
export function register(program: Command, io: Io): void {
  const billing = program.command('billing').description('compute bills from files and keep them');
  billing
    .command('simulate')
    .description(
      `bill the month in DIR/${FILES.scenario} and DIR/${FILES.readings}; every fault found is told, exit code 1.`,
    )
    .argument('<dir>', 'folder with both files')
    .option('--json', 'print the result as JSON, all amounts as text')
    .option('--vee', 'with --json: list every interval that is not plainly measured')
    .addOption(
      new Option('--multiplier <METER=N>', 'bill as if METER had multiplier N; may be repeated')
        .argParser(collectMultiplier)
        .default(new Map(), 'those of the folder'),
    )
    .action((dir: string, options: Options, command: Command) => {
      if (options.vee && !options.json)
        command.error('error: --vee goes with --json; the table lists these intervals in its notes', {
          exitCode: 2,
        });
      runSimulation(resolve(io.cwd, dir), options, io);
    });
  registerBooks(billing, io);
}

function runSimulation(folder: string, options: Options, io: Io): void {
  const { simulation } = billFolder(folder, options.multiplier);
  if (options.json) io.out(`${JSON.stringify(presentRun(simulation.run, options.vee ?? false), null, 2)}\n`);
  else io.out(describeRun(simulation, terminalLanguage(io) === 'zh-CN' ? 'zh' : 'en'));
}
