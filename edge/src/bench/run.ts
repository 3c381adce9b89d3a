import { DriverError } from '@parkline/kit';
import { exit, type Io } from '../cli/io.ts';
import { type Bench, type BenchOptions, openBench } from './open.ts';

/** What a person can do about it, by what went wrong. */
const advice: Readonly<Record<DriverError['code'], string>> = {
  timeout: 'nothing answers: check the address, the cable and whether the device is on',
  lost: 'the connection broke: check the address, the port and the firewall between here and there',
  refused: 'the device says no: check the address of the point and the rights of the login',
  garbage: 'what answers speaks something else: check protocol, speed and parity',
  config: 'correct what the message names: an option of this command (--help), or gateway.yaml',
  aborted: 'stopped',
};

/** The port or the line belongs to somebody else at the moment: to the gateway itself, if it runs. */
export const isInUse = (error: unknown): boolean =>
  /EADDRINUSE|EBUSY|cannot lock|resource temporarily unavailable|in use/i.test(
    error instanceof Error ? error.message : String(error),
  );

/** A failure of the bus in two lines: what happened and where, and what to do. */
export function explain(error: unknown): string {
  if (!(error instanceof DriverError)) return error instanceof Error ? error.message : String(error);
  return `${error.where}: ${error.message}\n  ${advice[error.code]}`;
}

export const adviceFor = (error: unknown): string =>
  error instanceof DriverError ? advice[error.code] : 'see the message';

const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Opens the bench, runs `work`, closes it. Ctrl-C aborts the signal, and so does the end of the terminal. A failure of the bus is told with what to do, exit code 1.
 */
export async function withBench(
  io: Io,
  from: string,
  options: BenchOptions,
  work: (bench: Bench, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => {
    stop.abort();
  };
  // All of them, and not only the first: npx hands on a Ctrl-C that the terminal has sent as well, and a window that is closed
  // must not leave a value in a device.
  for (const name of endings) process.on(name, onSignal);
  let bench: Bench | undefined;
  try {
    bench = await openBench(io, from, options);
    await work(bench, stop.signal);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    io.err(`${explain(error)}\n`);
    if (bench?.home !== undefined && isInUse(error))
      io.err('  the gateway itself may hold it: parkline doctor tells what a running one hears\n');
    process.exitCode = exit.failed;
  } finally {
    for (const name of endings) process.off(name, onSignal);
    await bench?.close();
  }
}

/** Progress for somebody who watches; nothing in a pipe. */
export function progress(io: Io): { show(text: string): void; clear(): void } {
  if (!process.stderr.isTTY) return { show: () => undefined, clear: () => undefined };
  return {
    show: (text) => {
      io.err(`\r\u001b[K${text}`);
    },
    clear: () => {
      io.err('\r\u001b[K');
    },
  };
}

export const asJson = (value: unknown): string => `${JSON.stringify(value)}\n`;
