import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type BusPlace, CONTROL, readPorts } from '../ports.ts';
import type { Words } from '../scenarios.ts';
import { ask, ControlError } from './control-client.ts';

/** What a command may touch of the world. `out` is for data, `err` for messages; neither adds a line end. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** A scenario as the control port tells it. */
interface Told {
  readonly name: string;
  /** Unix ms; null while it is not on. */
  readonly since: number | null;
  readonly title: Words;
  readonly happens: Words;
  readonly cleared?: Words;
  readonly expects: { readonly rule: string; readonly device: string };
}

interface Options {
  readonly ports?: string;
  readonly json?: true;
}

/** `parkline sim`: lets things happen in the simulated park that runs here. */
export function register(program: Command, io: Io): void {
  const sim = program.command('sim').description('scenarios of the simulated park');
  const ports = [
    '--ports <file>',
    "the simulator's ports file, where the park was not started by npm start",
  ] as const;
  sim
    .command('list')
    .description('what can happen in the running park, and what is happening')
    .option(...ports)
    .option('--json', 'print JSON')
    .action((options: Options) => list(io, options));
  for (const [verb, on, description] of [
    ['trigger', true, 'let a scenario happen'],
    ['clear', false, 'end a scenario'],
  ] as const)
    sim
      .command(verb)
      .description(description)
      .argument('<name>', 'of the scenario, as "parkline sim list" shows it')
      .option(...ports)
      .option('--json', 'print JSON')
      .action((name: string, options: Options) => set(io, name, on, options));
}

async function list(io: Io, options: Options): Promise<void> {
  const { scenarios } = (await command(io, options, { do: 'scenarios' })) as { scenarios: Told[] };
  if (options.json) return io.out(`${JSON.stringify(scenarios, null, 2)}\n`);
  if (scenarios.length === 0) return io.err('no scenario fits the devices of this park\n');
  const rows = scenarios.map(({ name, since, title, expects }) => [
    name,
    since === null ? 'off' : `on since ${new Date(since).toISOString().slice(0, 19)}Z`,
    `${expects.rule} @ ${expects.device}`,
    title.en,
  ]);
  io.out(table([['NAME', 'STATE', 'EXPECTED FAULT', 'WHAT'], ...rows]));
}

async function set(io: Io, name: string, on: boolean, options: Options): Promise<void> {
  const answer = (await command(io, options, { do: 'scenario', name, on })) as {
    changed: boolean;
    scenario: Told;
  };
  if (options.json) return io.out(`${JSON.stringify(answer, null, 2)}\n`);
  const { changed, scenario } = answer;
  if (!changed) return io.out(`${name} was ${on ? 'on' : 'off'} already\n`);
  io.out(
    `${name} is ${on ? 'on' : 'off'}. ${(on ? scenario.happens : scenario.cleared)?.en ?? ''}`.trimEnd(),
  );
  io.out('\n');
}

/** @throws Error saying how to start a park, when none runs. */
async function command(io: Io, { ports }: Options, asked: object): Promise<object> {
  const { ok: _ok, ...answer } = await ask(controlPlace(io, ports), asked).catch((cause: unknown) => {
    if (cause instanceof ControlError)
      throw new Error(`no park is running; start it with npm start (${cause.message})`, { cause });
    throw cause;
  });
  return answer;
}

function controlPlace({ env, cwd }: Io, named: string | undefined): BusPlace {
  const home = env['PARKLINE_HOME'] ?? resolve(cwd, '.parkline');
  const file = named === undefined ? join(home, 'simulator', 'ports.json') : resolve(cwd, named);
  const park = named === undefined ? runningPark(home) : undefined;
  if (park !== undefined && !existsSync(file))
    throw new Error(
      `the park at ${park} runs without simulated devices (npm start -- --no-demo), so nothing can be made to happen there; npm start with another PARKLINE_HOME runs the demo park`,
    );
  if (!existsSync(file)) throw new Error(`no park is running; start it with npm start (there is no ${file})`);
  const place = readPorts(file)[CONTROL];
  if (!place) throw new Error(`${file} names no control port: is it the ports file of a simulator?`);
  return place;
}

/** Address of the park that `npm start` runs in this home; undefined: none does. */
function runningPark(home: string): string | undefined {
  const file = join(home, 'run.json');
  if (!existsSync(file)) return undefined;
  const { url, pid } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  return typeof url === 'string' && isAlive(Number(pid)) ? url : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // It is somebody else's.
  }
}

/** Columns as wide as their longest cell, two blanks between. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
