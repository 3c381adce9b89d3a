import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { readIfThere, writeWhole } from './files.ts';

/** A process of ours. `born` tells it from a later one with the same id; it is empty where the system does not say. */
interface Known {
  readonly name: string;
  readonly pid: number;
  readonly born: string;
}

/** Records the living processes. */
export async function saveProcesses(file: string, pids: ReadonlyMap<string, number>): Promise<void> {
  const known = await Promise.all(
    [...pids].map(async ([name, pid]) => ({ name, pid, born: await bornAt(pid) })),
  );
  await writeWhole(file, `${JSON.stringify(known, null, 2)}\n`);
}

/**
 * Waits until the processes of an earlier, killed start are gone: two servers on one data folder would destroy it.
 * They stop by themselves within seconds; one that does not is killed after `patienceMs`.
 */
export async function waitForStragglers(file: string, patienceMs: number): Promise<void> {
  const known = JSON.parse((await readIfThere(file)) ?? '[]') as Known[];
  const deadline = Date.now() + patienceMs;
  for (const one of known) {
    while (await isAlive(one)) {
      if (Date.now() > deadline && one.born !== '') process.kill(one.pid, 'SIGKILL');
      await sleep(50);
    }
  }
}

async function isAlive({ pid, born }: Known): Promise<boolean> {
  if (born !== '') return (await bornAt(pid)) === born;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Start time in clock ticks since boot: field 22 of /proc/<pid>/stat (proc(5)); field 2, in brackets, may hold blanks. */
async function bornAt(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? '' : (rest[18] ?? '');
  } catch {
    return '';
  }
}
