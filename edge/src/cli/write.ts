import { appendFileSync, closeSync, fsyncSync, openSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { checkWrite, Unit, WriteLimits } from '@parkline/contract';
import type { Command } from 'commander';
import type { Driver, Written } from '@parkline/kit';
import { Value } from 'typebox/value';
import { addLinkOptions } from '../bench/link-options.ts';
import { type Bench, type BenchOptions, type BenchPoint, choosePoints } from '../bench/open.ts';
import { writeAndGiveBack } from '../bench/hold.ts';
import { asJson, withBench } from '../bench/run.ts';
import { hasPriorities, releaseOf } from '../writing/device-write.ts';
import { exit, type Io, number, UsageError } from './io.ts';

interface Options extends BenchOptions {
  readonly reason: string;
  readonly min?: number;
  readonly max?: number;
  readonly priority?: number;
  readonly hold: number;
  readonly approvedBy?: string;
  readonly keep?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** What came of it; printed, and in the home of a gateway written down. */
interface Outcome {
  readonly address: string;
  /** Engineering values: asked for, shown before, shown after. */
  readonly value: number | null;
  readonly before: number | null;
  readonly after: number | null;
  readonly state: Written['state'];
  readonly detail?: string;
  /** Given back at the end. */
  readonly released: boolean;
}

/** A day, as for commands from far away, s. */
const MAX_HOLD_S = 86_400;
const limit = (option: string) => number(option, -Number.MAX_VALUE, Number.MAX_VALUE);

/** `parkline write`: one value, on site, by somebody who sees the machine. */
export function register(program: Command, io: Io): void {
  addLinkOptions(
    program
      .command('write')
      .description('write one point of a device, read it back, and give it back at the end')
      .argument('<from>', 'protocol, with options that say where; or a device of the gateway, by name or id')
      .argument('<point>', "address in the driver's own syntax, or key of the template")
      .argument('<value>', 'number in the unit of the point; "release" gives the point back'),
  )
    .requiredOption('--reason <text>', 'why; kept with the name of the user')
    .option('--approved-by <name>', 'the second person, for gates, elevators and what else may hurt somebody')
    .option('--template <id>', 'template that declares the point writable, and how far')
    .option(
      '--min <n>',
      'lowest value that may be written, where no template and no gateway says',
      limit('--min'),
    )
    .option('--max <n>', 'highest value that may be written', limit('--max'))
    .option(
      '--priority <8-16>',
      'BACnet priority; 1 to 7 belong to life safety',
      number('--priority', 8, 16, true),
    )
    .option(
      '--hold <s>',
      'give the point back after this time, or at Ctrl-C',
      number('--hold', 0.1, MAX_HOLD_S),
      60,
    )
    .option('--keep', 'leave the value in the device')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  parkline write bacnet --who-is 192.168.1.255 --instance 2001 analog-value,1 18 --min 14 --max 24 --reason "valve test"
  parkline write "Air handling unit 1" analog-value,1 18 --home /var/lib/parkline --reason "valve test" --hold 300

A point that nobody declared writable is not written. Exit code 0: the device shows the value; 3: it shows another; 1: not written.`,
    )
    .action((from: string, point: string, value: string, options: Options) =>
      run(io, from, { word: point, value: readValue(value), options }),
    );
}

interface Wish {
  readonly word: string;
  readonly value: number | null;
  readonly options: Options;
}

async function run(io: Io, from: string, { word, value, options }: Wish): Promise<void> {
  if (options.reason.trim().length < 3) throw new UsageError('--reason: say in a few words why');
  await withBench(io, from, options, async (bench, signal) => {
    const [point] = choosePoints(bench, [word]) as [BenchPoint];
    const limits = allowed(bench, point, value, options);
    if (!(await isSure(io, bench, point, value, options))) {
      process.exitCode = exit.failed;
      return;
    }
    const driver = bench.device();
    if (!driver.write) throw new UsageError(`${bench.protocol} devices cannot be written`);
    const order = { ref: point.ref, value, priority: options.priority ?? limits.priority };
    const before = await shows(driver, point, signal);
    note(bench, { at: new Date().toISOString(), ...who(options), address: point.ref.address, value, before });
    const back = wayBack(bench, limits, value, options);
    const say = (line: string): void => io.err(`${line}\n`);
    if (back === 'none') say('the value stays: nothing says which one gives the point back');
    const errand = { driver, order, back: typeof back === 'string' ? undefined : back, holdS: options.hold };
    const { written, released } = await writeAndGiveBack(errand, say, signal);
    if (errand.back && !released) process.exitCode = exit.partial;
    tell(io, { address: point.ref.address, value, before, ...outcomeOf(written), released }, options);
  });
}

/** What gives the point back at the end; 'kept' where it is not to be, 'none' where nothing does. */
function wayBack(
  { protocol }: Bench,
  limits: WriteLimits,
  value: number | null,
  { keep }: Options,
): { readonly value: number | null } | 'kept' | 'none' {
  if (value === null || keep) return 'kept';
  return releaseOf({ hasPriorities: hasPriorities(protocol) }, limits) ?? 'none';
}

function readValue(text: string): number | null {
  if (text === 'release') return null;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new UsageError(`${text} is neither a number nor "release"`);
  return value;
}

/**
 * Default deny: limits come from the gateway, from a template, or from the person who types them.
 * @throws Error saying why the value may not be written.
 */
function allowed(bench: Bench, point: BenchPoint, value: number | null, options: Options): WriteLimits {
  const { min, max } = options;
  if ((min === undefined) !== (max === undefined) || min! > max!)
    throw new UsageError('--min and --max belong together, the lower one first');
  const typed = min !== undefined && max !== undefined ? { min, max } : undefined;
  // Whoever declared limits for the point knew it: typed ones may narrow them, never widen.
  const declared =
    point.write ?? (bench.home === undefined && typed ? Value.Default(WriteLimits, typed) : undefined);
  if (!declared) {
    const how =
      bench.home === undefined
        ? 'name --template, or --min and --max'
        : 'add its write limits to gateway.yaml';
    throw new UsageError(`${point.name} is not declared writable: ${how}`);
  }
  const limits = Value.Parse(WriteLimits, declared);
  const unit = Value.Check(Unit, point.unit) ? point.unit : '1';
  const known = { kind: point.ref.kind, unit, write: limits };
  const verdict = checkWrite(known, { value }, bench.protocol === 'bacnet');
  if (!verdict.ok) throw new UsageError(`${point.name}: ${verdict.message.en}`);
  if (limits.safety) assertTwoPeople(point, options);
  if (typed && value !== null && (value < typed.min || value > typed.max))
    throw new UsageError(`${point.name}: ${value} is outside ${typed.min} to ${typed.max}`);
  return limits;
}

/** @throws Error when only one person wants what may hurt somebody. */
function assertTwoPeople({ name }: BenchPoint, { approvedBy }: Options): void {
  const second = approvedBy?.trim() ?? '';
  if (second.length >= 2 && second.toLowerCase() !== userInfo().username.toLowerCase()) return;
  throw new UsageError(`${name} is a matter of safety: a second person must stand by it, --approved-by NAME`);
}

/** Somebody stands before the machine: they are asked once, and told what will move. */
async function isSure(
  io: Io,
  bench: Bench,
  point: BenchPoint,
  value: number | null,
  { yes }: Options,
): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) throw new UsageError('nobody can be asked here: say --yes');
  const what = value === null ? `give back ${point.name}` : `write ${value} ${point.unit} to ${point.name}`;
  const safety = point.write?.safety ? ' People may be near: look first.' : '';
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await ask.question(`${what} of ${bench.name}?${safety} [y/N] `);
  ask.close();
  if (/^y(es)?$/i.test(answer.trim())) return true;
  io.err('nothing was written\n');
  return false;
}

async function shows(driver: Driver, { ref }: BenchPoint, signal: AbortSignal): Promise<number | null> {
  const [sample] = await driver.read([ref], signal);
  return sample?.value ?? null;
}

const outcomeOf = ({ state, readBack, detail }: Written) => ({
  ...{ state, after: readBack },
  ...(detail !== undefined && { detail }),
});

const who = ({ reason, approvedBy }: Options) => ({
  ...{ who: userInfo().username, reason },
  ...(approvedBy !== undefined && { approvedBy }),
});

/** Beside the gateway's own journal, on disk before anything moves. A bench without a gateway keeps no book. */
function note({ home }: Bench, line: object): void {
  if (home === undefined) return;
  const file = openSync(join(home, 'local-writes.jsonl'), 'a', 0o600);
  appendFileSync(file, asJson(line));
  fsyncSync(file);
  closeSync(file);
}

function tell(io: Io, outcome: Outcome, { json }: Options): void {
  const { address, value, before, after, state, detail, released } = outcome;
  const words = { done: 'done', overridden: 'overridden', differs: 'the device shows another value' }[state];
  const show = (one: number | null): string => (one === null ? '—' : String(one));
  if (json) io.out(asJson(outcome));
  else {
    io.out(
      `${address}: ${show(before)} -> ${value === null ? 'given back' : show(value)}, shows ${show(after)}: ` +
        `${[words, detail].filter(Boolean).join(', ')}${released ? '; given back' : ''}\n`,
    );
  }
  if (state !== 'done') process.exitCode = exit.partial;
}
