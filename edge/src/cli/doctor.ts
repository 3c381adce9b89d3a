import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { ConfigError, type Home, loadHome } from '../config/load.ts';
import { loadDriver } from '../bench/open.ts';
import { asJson, progress } from '../bench/run.ts';
import { fail, type Finding, ok, skipped } from '../doctor/check.ts';
import { checkClaimed } from '../doctor/claim.ts';
import { checkCloud } from '../doctor/cloud.ts';
import { checkConnection } from '../doctor/devices.ts';
import { checkClock, checkDisk, checkGateway, checkOutbox, isClockSynchronized } from '../doctor/machine.ts';
import { readHealth } from '../health/file.ts';
import { peekOutbox } from '../pipeline/outbox.ts';
import { exit, gatewayHome, type Io, number, table } from './io.ts';

interface Options {
  readonly home?: string;
  readonly devices: boolean;
  readonly timeout: number;
  readonly json?: true;
}

/** `parkline doctor`: what is wrong with a gateway, and what to do. */
export function register(program: Command, io: Io): void {
  program
    .command('doctor')
    .description('look at clock, disk, network, certificate, broker and every device, and say what to do')
    .option('--home <dir>', "the gateway's home; also PARKLINE_GATEWAY_HOME")
    .option('--no-devices', 'leave the devices alone')
    .option('--timeout <s>', 'longest time for one device', number('--timeout', 0.1, 600), 10)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  parkline doctor --home /var/lib/parkline
  parkline doctor --home /var/lib/parkline --no-devices --json

Needs no cloud, and leaves a running gateway alone. Exit code 0: all is well; 3: something is not; 1: nothing works.`,
    )
    .action((options: Options) => run(io, options));
}

async function run(io: Io, options: Options): Promise<void> {
  const shown = progress(io);
  const findings: Finding[] = [];
  for await (const finding of examine(gatewayHome(io, options.home), options, io.env)) {
    findings.push(finding);
    shown.show(`${finding.check}: ${finding.state}`);
  }
  shown.clear();
  const count = (state: Finding['state']) => findings.filter((one) => one.state === state).length;
  const [good, failed, warned] = [count('ok'), count('fail'), count('warn')];
  io.out(options.json ? asJson({ ok: failed + warned === 0, findings }) : rowsOf(findings));
  if (failed + warned > 0) process.exitCode = good === 0 ? exit.failed : exit.partial;
}

async function* examine(home: string, options: Options, env: NodeJS.ProcessEnv): AsyncGenerator<Finding> {
  const missing = checkClaimed(home);
  if (missing) {
    yield missing;
    yield checkClock(Date.now(), null, isClockSynchronized());
    return;
  }
  let read: Home;
  try {
    read = loadHome(home, env);
    yield ok('configuration', `${home}: ${describe(read)}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const fault of error.faults)
      yield fail(
        'configuration',
        fault,
        'correct it; parkline config history lists the versions before, parkline config show N prints one',
      );
    yield checkClock(Date.now(), null, isClockSynchronized());
    return;
  }
  const maxBytes = read.config.outbox.maxMegabytes * 1024 * 1024;
  const outbox = lookAtOutbox(read, maxBytes);
  yield checkClock(Date.now(), outbox.newestAt, isClockSynchronized());
  yield checkDisk(home, maxBytes, () => performance.now());
  yield outbox.finding;
  const health = readHealth(read.healthPath, Date.now());
  yield checkGateway(health);
  yield* await checkCloud(read, outbox.epoch, () => Date.now());
  if (!options.devices) return;
  const deps = { loadDriver, driverDir: read.driverDir, health, limitMs: options.timeout * 1_000 };
  for (const connection of read.config.connections) yield* checkConnection(connection, deps);
}

const describe = ({ config }: Home): string => {
  const devices = config.connections.flatMap((connection) => connection.devices);
  const points = devices.reduce((sum, device) => sum + device.points.length, 0);
  return `${config.connections.length} connections, ${devices.length} devices, ${points} points`;
};

interface OutboxLook {
  readonly finding: Finding;
  readonly epoch?: string;
  /** Unix ms of the newest reading. */
  readonly newestAt: number | null;
}

function lookAtOutbox({ outboxPath }: Home, maxBytes: number): OutboxLook {
  if (!existsSync(outboxPath))
    return { finding: skipped('outbox', 'this gateway has never run'), newestAt: null };
  try {
    const { epoch, state, heldUntil } = peekOutbox(outboxPath, maxBytes);
    return { finding: checkOutbox(state), epoch, newestAt: heldUntil };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      finding: fail('outbox', why, 'stop the gateway, keep the file, and start it again'),
      newestAt: null,
    };
  }
}

const marks = { ok: 'ok', warn: 'WARN', fail: 'FAIL', skipped: 'skipped' } as const;

const rowsOf = (findings: readonly Finding[]): string =>
  table(
    ['CHECK', 'STATE', 'FOUND', 'TO DO'],
    findings.map(({ check, state, found, todo }) => [check, marks[state], found, todo]),
  );
