import { spawn } from 'node:child_process';

/** A program run by `npm test` or `npm run check`. */
export interface Task {
  readonly name: string;
  /** Arguments of Node; the first is the script. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface TaskResult {
  readonly ok: boolean;
  readonly ms: number;
  /** Empty when it was shown while it came. */
  readonly output: string;
}

/** Runs `task` to its end; `show` lets its output through instead of keeping it. Ends with this process. */
export function runTask(task: Task, show: boolean): Promise<TaskResult> {
  const began = Date.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...task.args], {
      cwd: task.cwd,
      env: { ...process.env, ...task.env },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    const end = (): void => void child.kill('SIGTERM');
    process.once('exit', end);
    child.once('error', (error) => (output += error.message));
    const finish = (): void => {
      process.removeListener('exit', end);
      resolve({ ok: child.exitCode === 0, ms: Date.now() - began, output });
    };
    child.once('close', finish);
    // A process that the program left behind may hold the pipes open for ever.
    child.once('exit', () => setTimeout(finish, 1000).unref());
  });
}

/** Ends the running programs with this one, and says so by the usual exit code. */
export function endOnSignals(): void {
  process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
}

/** One row of a closing table. */
export const row = (name: string, outcome: string, ms: number): string =>
  `  ${name.padEnd(14)}${outcome.padEnd(34)}${(ms / 1000).toFixed(1).padStart(7)} s\n`;
