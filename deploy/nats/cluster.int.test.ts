import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ended, start } from '../local/command.ts';
import { freePort, run, scratchFolder } from '../local/machine.ts';
import { natsCommand } from '../local/nats.ts';

let out: string;
const servers: ChildProcess[] = [];
beforeAll(async () => {
  out = await mkdtemp(join(scratchFolder(), 'parkline-one-machine-'));
});
afterAll(async () => {
  for (const server of servers) server.kill('SIGKILL');
  await Promise.all(servers.map(ended));
  await rm(out, { recursive: true, force: true });
});

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer().listen(port, '127.0.0.1');
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
};

/** The first of nine ports in a row that nobody has. */
async function freeRow(): Promise<number> {
  for (;;) {
    const first = await freePort();
    const row = await Promise.all(Array.from({ length: 9 }, (_, n) => isFree(first + n)));
    if (row.every(Boolean)) return first;
  }
}

/** Names of the servers that one has routes to. */
async function routesOf(port: number): Promise<string[]> {
  const reply = await fetch(`http://127.0.0.1:${port}/routez`);
  const { routes = [] } = (await reply.json()) as { routes?: { remote_name: string }[] };
  return [...new Set(routes.map((route) => route.remote_name))].toSorted();
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await check().catch(() => false)); await sleep(50))
    if (Date.now() > end) throw new Error('the servers did not find each other');
}

test(
  'three servers that init makes for one machine run beside each other and find each other',
  { timeout: 90_000 },
  async () => {
    const port = await freeRow();
    const [program, data] = [inject('natsServer'), join(out, 'data')];
    const main = join(import.meta.dirname, 'main.ts');
    const named = ['a', 'b', 'c'].flatMap((name) => ['--server', `${name}=127.0.0.1`]);
    const ports = ['--port', port, '--cluster-port', port + 3, '--http-port', port + 6].map(String);
    const folders = ['--out', out, '--config-dir', out, '--data-dir', data];
    const made = await run(process.execPath, [
      main,
      'init',
      ...folders,
      ...named,
      ...ports,
      '--nats-server',
      program,
    ]);
    const url = (n: number): string => `tls://127.0.0.1:${port + n}`;
    expect(made.stdout).toContain(`NATS_URL=${url(0)},${url(1)},${url(2)}\n`);

    for (const name of 'abc') {
      const server = start(natsCommand(program, join(out, `server-${name}/server.conf`)));
      server.stdout?.resume();
      server.stderr?.resume();
      servers.push(server);
    }
    const others = [
      ['b', 'c'],
      ['a', 'c'],
      ['a', 'b'],
    ];
    await until(async () => {
      const routes = await Promise.all([6, 7, 8].map((n) => routesOf(port + n)));
      return JSON.stringify(routes) === JSON.stringify(others);
    });
  },
);
