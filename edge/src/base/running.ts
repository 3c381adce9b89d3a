import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const markPath = (home: string): string => join(home, 'config', 'running');

/** Says in the home that this process runs in it; the function takes that back. */
export function markRunning(home: string): () => void {
  try {
    writeFileSync(markPath(home), identityOf(process.pid) ?? '', { mode: 0o600 });
  } catch {
    // A full disk: the command line does not wait for verdicts then, and all else goes on.
  }
  return () => {
    rmSync(markPath(home), { force: true });
  };
}

/** Whether the gateway of this home runs. A mark that a killed one left behind is not believed. */
export function isRunning(home: string): boolean {
  try {
    const identity = readFileSync(markPath(home), 'utf8');
    return identity !== '' && identityOf(Number.parseInt(identity, 10)) === identity;
  } catch {
    return false;
  }
}

/** A pid and when its process began, because numbers are given again. Undefined: there is no such process, or no /proc. */
function identityOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): field 22 is the start; the name in field 2 may hold spaces and brackets.
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch {
    return undefined;
  }
}
