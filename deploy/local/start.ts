import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from './context.ts';
import { createDebs, DebsError } from './debs.ts';
import { openHome, type Home } from './home.ts';
import { launch, type Launched } from './launch.ts';
import { type Lock, takeLock } from './lock.ts';
import { openLog } from './log-file.ts';
import { cacheFolder, isRoot, ToolError } from './machine.ts';
import { readOptions, StartError, usage, withPark } from './options.ts';
import { PostgresError } from './postgres.ts';
import { parkOfHome } from './profile.ts';
import { readRunFile, removeRunFile } from './run-file.ts';
import { assertSpace } from './space.ts';
import { createSteps } from './steps.ts';
import { saveProcesses, waitForStragglers } from './stragglers.ts';
import { createSupervisor, ServiceError, type Supervisor } from './supervisor.ts';

const root = join(import.meta.dirname, '../..');
const began = Date.now();
const steps = createSteps((text) => void process.stdout.write(text), Date.now);
const stopping = new AbortController();
/** Faults of the surroundings: their message is enough. */
const knownFaults = [StartError, ServiceError, PostgresError, ToolError];
let supervisor: Supervisor | undefined;
let home: Home | undefined;
/** Held until the process ends; collected as garbage it would be free. */
let lock: Lock | undefined;
let saving = Promise.resolve();

process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
// A terminal that is gone must not end us before the children are stopped.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
followNpm();

try {
  await main();
} catch (error) {
  if (!stopping.signal.aborted) await fail(error);
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    steps.say(usage.trimEnd());
    return;
  }
  const asked = readOptions(process.argv.slice(2), process.env, root);
  const opened = await openHome(asked.home, {
    isRoot: isRoot(),
    sharedRoot: '/var/lib/parkline',
    notice: steps.say,
  });
  await assertSpace(opened.folder, 300);
  lock = await takeHome(opened);
  home = opened;
  // Left by a start that was killed: who waits for the file must see this start's.
  await removeRunFile(opened.runFile);
  steps.say(`Parkline starts in ${opened.folder}`);
  const options = { ...asked, ...withPark(await parkOfHome(opened.profile, asked), root) };
  await waitForStragglers(opened.processes, 10_000);
  supervisor = createSupervisor({
    openLog: (name) => openLog(join(opened.logs, `${name}.log`), { maxBytes: 10 * 1024 * 1024, keep: 3 }),
    notice: steps.say,
    onPids: (pids) => {
      saving = saving.then(() => saveProcesses(opened.processes, pids)).catch(() => undefined);
    },
    wait: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
    now: Date.now,
  });
  const cache = cacheFolder(process.env);
  const context: Context = {
    root,
    options,
    home: opened,
    cache,
    env: process.env,
    steps,
    supervisor,
    signal: stopping.signal,
  };
  const debs = createDebs({ cache, env: process.env, notice: steps.detail });
  try {
    announce(await launch(context, debs), opened);
  } finally {
    await debs.close();
  }
}

/** @throws StartError when another start uses the same home. */
async function takeHome(opened: Home): Promise<Lock> {
  const lock = takeLock(opened.lock);
  if (lock) return lock;
  const other = await readRunFile(opened.runFile);
  const where = other ? ` at ${other.url} (process ${other.pid})` : '';
  throw new StartError(
    `Parkline already runs in ${opened.folder}${where}; stop it, or set another PARKLINE_HOME`,
  );
}

function announce({ run, setupToken }: Launched, { runFile, folder }: Home): void {
  steps.say(`  ${'all'.padEnd(22)}${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s`);
  // Exactly this line: scripts wait for it.
  steps.say(`ready ${run.url}`);
  for (const { role, login, password, account } of run.users)
    steps.say(`  ${role.padEnd(18)} ${login.padEnd(15)} ${password}${account ? `  (park ${account})` : ''}`);
  if (setupToken) steps.say(`  the first administrator is made with this one-time token: ${setupToken}`);
  steps.say(`  addresses and logins: ${runFile}   logs: ${join(folder, 'logs')}   stop: Ctrl-C`);
}

/** The first signal stops everything in order, a second one at once. */
function stop(): void {
  if (stopping.signal.aborted) {
    supervisor?.kill();
    process.exit(1);
  }
  process.stdout.write('stopping; once more stops at once\n');
  stopping.abort();
  void finish(0);
}

async function fail(error: unknown): Promise<void> {
  stopping.abort();
  process.stderr.write(`\n${explain(error)}\n`);
  await finish(1);
}

async function finish(code: number): Promise<void> {
  await supervisor?.stop();
  await saving;
  if (home) await removeRunFile(home.runFile);
  lock?.release();
  if (stopping.signal.aborted && code === 0) process.stdout.write('stopped\n');
  process.exit(code);
}

/** Faults of the surroundings are told in one sentence; anything else is a bug and shows where it happened. */
function explain(error: unknown): string {
  if (knownFaults.some((kind) => error instanceof kind)) return (error as Error).message;
  if (error instanceof DebsError) return withCauses(error).join('\n');
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return `the disk is full: ${(error as Error).message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A tool's own words end the chain: below them is only how it was called. */
function withCauses(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return error instanceof ToolError ? [error.message] : [error.message, ...withCauses(error.cause)];
}

/** npm is our parent after `exec`; SIGKILL to it would leave us running with nobody to stop us. */
function followNpm(): void {
  if (process.env['npm_lifecycle_event'] !== 'start') return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent && !stopping.signal.aborted) stop();
  }, 1000).unref();
}
