import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A program ready to be started, with all it is started with. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Other user to run as. */
  readonly uid?: number;
  readonly gid?: number;
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/**
 * Makes the kernel send `signal` to a foreign program when the process that starts it dies, even by SIGKILL.
 * Where util-linux is missing the command stays as it is.
 */
export function followingParent(command: Command, signal: 'INT' | 'TERM'): Command {
  if (!setpriv) return command;
  return { ...command, file: setpriv, args: ['--pdeathsig', signal, command.file, ...command.args] };
}

/**
 * Starts `command` in a process group of its own, so that Ctrl-C reaches the starter alone and it can stop things in order.
 * The parent-death signal follows the main thread: call it there.
 */
export function start({ file, args, ...options }: Command): ChildProcess {
  return spawn(file, [...args], { ...options, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** How long last words may take after the end; a grandchild can hold the pipe open for ever. */
const lastWordsMs = 300;

/** Resolves when the process has ended and its output was read. One that could not be started counts as ended. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
    return Promise.resolve();
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.once('exit', () => setTimeout(resolve, lastWordsMs).unref());
  });
}
