import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Two serial ports joined by a cable: what is written to one comes out of the other. */
export interface PtyPair {
  readonly near: string;
  readonly far: string;
  /** Pulls both out, as a USB adapter is pulled out. */
  close(): Promise<void>;
}

const script = `
import os, select, sys, tty
pairs = [os.openpty(), os.openpty()]
for master, slave in pairs:
    tty.setraw(slave)
print(os.ttyname(pairs[0][1]), os.ttyname(pairs[1][1]), flush=True)
other = {pairs[0][0]: pairs[1][0], pairs[1][0]: pairs[0][0], 0: None}
while True:
    for ready in select.select(list(other), [], [])[0]:
        data = os.read(ready, 4096)
        if other[ready] is None:
            sys.exit(0)
        os.write(other[ready], data)
`;

/** @returns why there is none on this machine: it needs python3, for pseudo terminals are nothing node can make. */
export async function startPtyPair(): Promise<PtyPair | { readonly why: string }> {
  const child = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    once(child, 'exit').then(() => undefined),
    once(child, 'error').then(() => undefined),
  ]);
  const [near, far] = first?.split(' ') ?? [];
  if (!near || !far) return { why: 'no python3 here that makes pseudo terminals' };
  return { near, far, close: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.stdin?.end();
  await once(child, 'exit');
}
