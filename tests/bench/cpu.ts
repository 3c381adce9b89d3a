import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts process times in hundredths of a second for every program. */
const TICK_US = 10_000;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** µs of this process. */
  readonly own: number;
  /** µs of its children that have ended. */
  readonly ended: number;
}

function stats(): Stat[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const text = readFileSync(`/proc/${entry}/stat`, 'utf8');
      // The name may hold spaces and brackets: the fields begin after the last bracket (proc(5)).
      const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
      const fields = text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
      const [parent = 0, utime = 0, stime = 0, cutime = 0, cstime = 0] = [1, 11, 12, 13, 14].map(
        (i) => fields[i],
      );
      const [own, ended] = [(utime + stime) * TICK_US, (cutime + cstime) * TICK_US];
      return [{ pid: Number(entry), parent, name, own, ended }];
    } catch {
      return []; // It ended between the listing and the look.
    }
  });
}

/** CPU time in µs that a process and everything it ever started have used. */
export function cpuOfTree(root: number): number {
  const all = stats();
  const members = new Set([root]);
  // Parents come before their children only as a rule, so go on until nothing is found any more.
  for (let size = 0; size < members.size;) {
    size = members.size;
    for (const { pid, parent } of all) if (members.has(parent)) members.add(pid);
  }
  return all.filter(({ pid }) => members.has(pid)).reduce((sum, { own, ended }) => sum + own + ended, 0);
}

/** The child of this process that runs `program`. @throws Error when there is none. */
export function childRunning(program: string): number {
  const found = stats().find(({ parent, name }) => parent === process.pid && name === program.slice(0, 15));
  if (!found) throw new Error(`no child runs ${program}`);
  return found.pid;
}
