import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { asJson, progress } from '../bench/run.ts';
import { type ConfigChange, diffConfigs } from '../config/diff.ts';
import { parseConfig } from '../config/load.ts';
import { hashOf, versionPath } from '../config/store.ts';
import { handOver, stateOf, type Verdict } from './config-hand.ts';
import { exit, gatewayHome, type Io, number, readArgument, table, UsageError } from './io.ts';

interface Options {
  readonly home?: string;
  readonly json?: true;
}

interface ApplyOptions extends Options {
  readonly dryRun?: true;
  readonly yes?: true;
}

/** `parkline config`: the configurations of a gateway, from the first to the one in force. */
export function register(program: Command, io: Io): void {
  const config = program
    .command('config')
    .description('look at the configurations of a gateway, change them, go back')
    .addHelpText('after', examples);
  const add = (line: string, description: string): Command =>
    config
      .command(line)
      .description(description)
      .option('--home <dir>', "the gateway's home; also PARKLINE_GATEWAY_HOME")
      .option('--json', 'print one JSON document');
  add('show', 'print the configuration in force, or another version')
    .argument('[version]', 'its number', version)
    .action((n: number | undefined, options: Options) => {
      show(io, n, options);
    });
  add('history', 'list all versions, and what became of each').action((options: Options) => {
    history(io, options);
  });
  add('diff', 'say what a file would change')
    .argument('<file>', 'a whole gateway.yaml; - for standard input')
    .action((file: string, options: Options) => {
      const { changes } = compare(gatewayHome(io, options.home), readText(io, file));
      io.out(options.json ? asJson({ changes }) : changesText(changes));
    });
  add('apply', 'put a file into force, on trial')
    .argument('<file>', 'a whole gateway.yaml; - for standard input')
    .option('--dry-run', 'only say what it would change')
    .option('--yes', 'do not ask')
    .action((file: string, options: ApplyOptions) => apply(io, readText(io, file), options));
  add('rollback', 'put an older version into force, on trial')
    .argument('[version]', 'its number; the last good one before this when left out', version)
    .option('--dry-run', 'only say what it would change')
    .option('--yes', 'do not ask')
    .action((n: number | undefined, options: ApplyOptions) => {
      const home = gatewayHome(io, options.home);
      return apply(io, textOf(home, n ?? lastGood(home)), options);
    });
}

const examples = `
Examples:
  parkline config diff new.yaml --home /var/lib/parkline
  parkline config apply new.yaml --home /var/lib/parkline --yes
  parkline config rollback --home /var/lib/parkline --yes

A running gateway changes over at once and goes back by itself when a device that answered before has not
answered again after 120 s; apply waits for that. One that does not run takes the file, on trial, when it starts.
Exit code 0: kept, or waiting for the start; 1: refused or rolled back; 3: handed over, and nothing heard in time.`;

const version = number('version', 1, Number.MAX_SAFE_INTEGER, true);

const readText = (io: Io, file: string): string => readArgument(io, file).toString('utf8');
const currentText = (home: string): string => {
  try {
    return readFileSync(join(home, 'gateway.yaml'), 'utf8');
  } catch (cause) {
    throw new Error(`${home} is no home of a gateway: ${(cause as Error).message}`, { cause });
  }
};

/** @throws UsageError when the version is not kept. */
function textOf(home: string, n: number): string {
  try {
    return readFileSync(versionPath(home, n), 'utf8');
  } catch (cause) {
    throw new UsageError(`version ${n} is not kept (${(cause as Error).message}); parkline config history`);
  }
}

function lastGood(home: string): number {
  const { current, trial, history: lines } = stateOf(home);
  const n = trial?.previous ?? lines.findLast((line) => line.state === 'kept' && line.n < current)?.n;
  if (n === undefined) throw new UsageError('there is no version to go back to; parkline config history');
  return n;
}

function show(io: Io, n: number | undefined, { home: named, json }: Options): void {
  const home = gatewayHome(io, named);
  const state = stateOf(home);
  const yaml = n === undefined ? currentText(home) : textOf(home, n);
  const line = state.history.findLast((one) => (n === undefined ? one.hash === hashOf(yaml) : one.n === n));
  if (!json) io.out(yaml);
  else {
    const trial = line?.n === state.current ? state.trial : null;
    io.out(asJson({ version: line?.n ?? null, hash: hashOf(yaml), ...line, trial, yaml }));
  }
}

function history(io: Io, { home: named, json }: Options): void {
  const { history: lines, current } = stateOf(gatewayHome(io, named));
  const rows = lines.map(({ n, at, source, state, hash, why }) => [
    ...[
      `${n}${n === current ? ' *' : ''}`,
      new Date(at).toISOString(),
      source,
      state,
      hash.slice(0, 12),
      why,
    ],
  ]);
  if (json) io.out(asJson({ current, versions: lines }));
  else io.out(table(['VERSION', 'AT', 'FROM', 'STATE', 'SHA-256', 'WHY'], rows));
}

/** @throws ConfigError naming all faults of `yaml`; Error when it is for another gateway. */
function compare(home: string, yaml: string): { changes: ConfigChange[]; isSame: boolean } {
  const text = currentText(home);
  const [from, to] = [inForce(home, text), parseConfig(yaml)];
  if (from.gatewayId !== to.gatewayId)
    throw new Error(`it is for gateway ${to.gatewayId}, this is ${from.gatewayId}`);
  return { changes: diffConfigs(from, to), isSame: text === yaml };
}

/** @throws Error when somebody edited it in place and it is no configuration any more. */
function inForce(home: string, text: string) {
  try {
    return parseConfig(text);
  } catch (cause) {
    const what = `${join(home, 'gateway.yaml')} is faulty itself: ${(cause as Error).message}`;
    throw new Error(`${what}; correct it first, or replace it by what parkline config show N prints`, {
      cause,
    });
  }
}

async function apply(io: Io, yaml: string, options: ApplyOptions): Promise<void> {
  const home = gatewayHome(io, options.home);
  const { changes, isSame } = compare(home, yaml);
  if (!options.json) io.out(changesText(changes));
  if (isSame || options.dryRun) {
    if (options.json) io.out(asJson({ state: isSame ? 'in force' : 'dry run', changes }));
    return;
  }
  if (!options.yes && !(await isWanted(changes.length))) {
    io.err('nothing was changed\n');
    process.exitCode = exit.failed;
    return;
  }
  const shown = progress(io);
  const verdict = await handOver(home, yaml, shown.show);
  shown.clear();
  if (options.json) io.out(asJson({ ...verdict, hash: hashOf(yaml), changes }));
  else tell(io, verdict);
  process.exitCode = codes[verdict.state];
}

const codes = {
  ...{ kept: 0, waiting: 0, unknown: exit.partial, applied: exit.partial },
  ...{ refused: exit.failed, 'rolled-back': exit.failed },
} as const;

function tell(io: Io, verdict: Verdict): void {
  if (verdict.state === 'waiting') io.out('no gateway runs here: on trial when it starts\n');
  else if (verdict.state === 'unknown')
    io.err('the gateway has the file and has not said what became of it; parkline config history\n');
  else if (verdict.state === 'kept') io.out(`kept as version ${verdict.n}\n`);
  else io.err(`${verdict.state}: ${verdict.why}\n`);
}

/** @throws UsageError where nobody can be asked. */
async function isWanted(changes: number): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UsageError('nobody can be asked here: say --yes, or --dry-run to only look');
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await ask.question(`put these ${changes} changes into force? [y/N] `);
  ask.close();
  return /^y(es)?$/i.test(answer.trim());
}

const sign = { add: '+', remove: '-', change: '~' } as const;

function changesText(changes: readonly ConfigChange[]): string {
  if (changes.length === 0) return 'no setting, connection, device, point or rule differs\n';
  return changes
    .flatMap(({ how, what, id, name, fields }) => [
      `${sign[how]} ${what} ${id}${name === '' ? '' : ` (${name})`}`,
      ...fields.map(({ field, from, to }) => `    ${field}: ${from || 'none'} -> ${to || 'none'}`),
    ])
    .map((line) => `${line}\n`)
    .join('');
}
