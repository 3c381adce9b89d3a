import { sign } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { loadHome } from '../config/load.ts';
import type { GatewayConfig } from '../config/schema.ts';
import { openOutbox, type Outbox, type OutboxDeps, OutboxError } from '../pipeline/outbox.ts';
import { resync, type Resynced } from '../pipeline/resync.ts';
import { exit, gatewayHome, type Io, UsageError } from './io.ts';

/** How long to wait while the gateway itself writes, ms. */
const BUSY_MS = 30_000;

interface Options {
  readonly home?: string;
  readonly from: string;
  readonly to: string;
  readonly points?: string;
  readonly json?: true;
}

/** `parkline resync`: sends again what the gateway's disk still holds. */
export function register(program: Command, io: Io): void {
  program
    .command('resync')
    .description('send the readings of a time again, as far as the disk of the gateway still holds them')
    .requiredOption('--from <time>', 'first moment, ISO 8601 with its zone: 2026-11-22T08:00:00+08:00')
    .requiredOption('--to <time>', 'end, exclusive')
    .option('--points <ids>', 'ids of the points, separated by commas; all when left out')
    .option('--home <dir>', "the gateway's home; also PARKLINE_GATEWAY_HOME")
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Example:
  parkline resync --from 2026-11-22T08:00:00+08:00 --to 2026-11-22T09:00:00+08:00 --home /var/lib/parkline

The gateway may be running meanwhile. The cloud keeps what it has and adds what it lacks.
Exit code 0: all of that time goes again; 3: only what is still here; 1: nothing is.`,
    )
    .action((options: Options) => run(io, options));
}

function run(io: Io, options: Options): void {
  const [from, to] = [readTime('--from', options.from), readTime('--to', options.to)];
  if (to <= from) throw new UsageError('--to must be later than --from');
  const home = loadHome(gatewayHome(io, options.home), io.env);
  const points =
    options.points === undefined ? undefined : readPoints(options.points, home.config.connections);
  if (!existsSync(home.outboxPath))
    throw new UsageError(`${home.outboxPath}: this gateway has never read anything`);
  const outbox = open({
    path: home.outboxPath,
    maxBytes: home.config.outbox.maxMegabytes * 1024 * 1024,
    now: () => Date.now(),
    busyMs: BUSY_MS,
    failpoint: () => undefined,
  });
  try {
    const done = resync(
      { from, to, ...(points && { points }) },
      {
        ...{ outbox, gatewayId: home.config.gatewayId },
        sign: (bytes) => sign(null, bytes, home.keys.signing),
        ...(process.stderr.isTTY && {
          onProgress: (n: number, all: number) => io.err(`\r${n} of ${all} messages`),
        }),
      },
    );
    tell(io, done, { from, isJson: options.json === true });
  } finally {
    outbox.close();
  }
}

/** @throws Error saying what is wrong with the file, and what to do. */
function open(deps: OutboxDeps): Outbox {
  try {
    return openOutbox(deps);
  } catch (cause) {
    if (!(cause instanceof OutboxError)) throw cause;
    const todo = {
      corrupt: 'it is damaged: start the gateway again, which moves it aside and begins another',
      disk: 'look at the disk and at whose files these are (parkline doctor)',
      newer: 'use the program of the gateway itself',
    }[cause.code];
    throw new Error(`${deps.path}: ${cause.message}; ${todo}`, { cause });
  }
}

function tell(io: Io, done: Resynced, { from, isJson }: { from: number; isJson: boolean }): void {
  const heldSince = done.heldSince === null ? null : new Date(done.heldSince).toISOString();
  if (isJson) io.out(`${JSON.stringify({ ...done, heldSince })}\n`);
  else io.out(`${done.samples} readings in ${done.messages} messages go again\n`);
  if (done.heldSince === null || done.heldSince > from) {
    io.err(`nothing from before ${heldSince ?? 'now'} is here any more: the disk keeps outbox.keepHours\n`);
    process.exitCode = done.samples === 0 ? exit.failed : exit.partial;
  }
}

/** @throws UsageError naming the option, for a text that is no moment or leaves its zone open. */
function readTime(option: string, text: string): number {
  const at = /T.*(Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at))
    throw new UsageError(`${option} ${text}: write a time with its zone, 2026-11-22T08:00:00+08:00`);
  return at;
}

/** @throws UsageError naming the ids that no device of the gateway has. */
function readPoints(text: string, connections: GatewayConfig['connections']): Set<string> {
  const known = new Set(
    connections.flatMap(({ devices }) => devices.flatMap(({ points }) => points.map(({ id }) => id))),
  );
  const asked = text.split(',').map((id) => id.trim());
  const unknown = asked.filter((id) => !known.has(id));
  if (unknown.length > 0) throw new UsageError(`--points: this gateway has no point ${unknown.join(', ')}`);
  return new Set(asked);
}
