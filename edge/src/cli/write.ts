import { appendFileSync, closeSync, fsyncSync, openSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkWrite, Unit, WriteLimits } from '@parkline/contract';
import type { Command } from 'commander';
import { type Driver, DriverError, type WriteOrder, type Written } from '@parkline/kit';
import { Value } from 'typebox/value';
import { addLinkOptions } from '../bench/link-options.ts';
import { type Bench, type BenchOptions, type BenchPoint, choosePoints } from '../bench/open.ts';
import { asJson, explain, withBench } from '../bench/run.ts';
import { exit, type Io, UsageError } from './io.ts';

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
    .option('--min <n>', 'lowest value that may be written, where no template and no gateway says', Number)
    .option('--max <n>', 'highest value that may be written', Number)
    .option('--priority <8-16>', 'BACnet priority', Number)
    .option('--hold <s>', 'give the point back after this time, or at Ctrl-C', Number, 60)
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
    const order = { ref: point.ref, value, priority: options.priority ?? limits.priority };
    const before = await shows(driver, point, signal);
    note(bench, { at: new Date().toISOString(), ...who(options), address: point.ref.address, value, before });
    const written = await writeOn(driver, bench, order, signal);
    const released = await giveBack(io, { bench, driver, order, limits, options, signal });
    tell(io, { address: point.ref.address, value, before, ...outcomeOf(written), released }, options);
  });
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
  const { min, max, priority } = options;
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
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 8 && priority <= 16))
    throw new UsageError(
      `--priority ${priority}: 8 to 16; 1 to 7 belong to life safety and plant protection`,
    );
  const unit = Value.Check(Unit, point.unit) ? point.unit : '1';
  const known = { kind: point.ref.kind, unit, write: limits };
  const verdict = checkWrite(known, { value }, bench.protocol === 'bacnet');
  if (!verdict.ok) throw new UsageError(`${point.name}: ${verdict.message}`);
  if (limits.safety) assertTwoPeople(point, options);
  if (typed && value !== null && (value < typed.min || value > typed.max))
    throw new UsageError(`${point.name}: ${value} is outside ${typed.min} to ${typed.max}`);
  return limits;
}

/** @throws Error when only one person wants what may hurt somebody. */
function assertTwoPeople({ name }: BenchPoint, { approvedBy }: Options): void {
  const second = approvedBy?.trim() ?? '';
  if (second.length >= 2 && second !== userInfo().username) return;
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

/** @throws Error where the protocol cannot write; DriverError when the device does not. */
async function writeOn(
  driver: Driver,
  bench: Bench,
  order: WriteOrder,
  signal: AbortSignal,
): Promise<Written> {
  if (!driver.write) throw new UsageError(`${bench.protocol} devices cannot be written`);
  return driver.write(order, signal);
}

interface Holding {
  readonly bench: Bench;
  readonly driver: Driver;
  readonly order: WriteOrder;
  readonly limits: WriteLimits;
  readonly options: Options;
  readonly signal: AbortSignal;
}

/** Holds the value for its time, then gives the point back. Ctrl-C only ends the holding. @returns whether it was given back. */
async function giveBack(io: Io, holding: Holding): Promise<boolean> {
  const { bench, driver, order, limits, options, signal } = holding;
  if (order.value === null || options.keep) return false;
  const back = bench.protocol === 'bacnet' ? null : limits.release;
  if (back === undefined) {
    io.err('the value stays: nothing says which one gives the point back\n');
    return false;
  }
  io.err(`held for ${options.hold} s; Ctrl-C gives it back at once\n`);
  await sleep(options.hold * 1_000, undefined, { signal }).catch(() => undefined);
  try {
    await writeOn(driver, bench, { ...order, value: back }, new AbortController().signal);
    return true;
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    io.err(`NOT given back: ${explain(error)}\n`);
    process.exitCode = exit.partial;
    return false;
  }
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
