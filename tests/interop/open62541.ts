// An OPC UA server that is not ours: open62541 from the package archive, with a small main of our own around it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDebs, DebsError, type DebSet } from '../../deploy/local/debs.ts';
import { cacheFolder, run, ToolError } from '../../deploy/local/machine.ts';
import type { Peer } from './peers.ts';

export interface Open62541 {
  readonly endpointUrl: string;
  /** Ends the process; sessions and subscriptions are gone with it. */
  stop(): Promise<void>;
}

/** The library with its headers, a C compiler of 300 KB, and every library both load. */
const debSet: DebSet = {
  name: 'open62541',
  suite: 'trixie',
  packages:
    'libopen62541-1.4 libopen62541-1.4-dev libmbedcrypto16 libmbedx509-7 tcc libc6 libc6-dev linux-libc-dev'.split(
      ' ',
    ),
  exclude: ['*/gconv*', './lib64*', './usr/share/*'],
};

const machines: Partial<Record<string, { triplet: string; loader: string }>> = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

/** Compiles the server; `start` runs it on a free port of loopback. */
export async function findOpen62541(): Promise<
  Peer<{ readonly start: (port?: number) => Promise<Open62541>; readonly remove: () => void }>
> {
  const debs = createDebs({
    ...{ cache: cacheFolder(process.env), env: process.env },
    notice: (text) => void process.stderr.write(`open62541: ${text}\n`),
  });
  try {
    const machine = machines[process.arch];
    if (!machine) return { ok: false, why: `no packages are known for ${process.arch}` };
    const root = await debs.get(debSet);
    const library = join(root, 'usr/lib', machine.triplet);
    const loader = join(library, machine.loader);
    const folder = mkdtempSync(join(tmpdir(), 'parkline-open62541-'));
    const program = join(folder, 'server');
    await run(loader, ['--library-path', library, ...compilation(root, library, machine.triplet, program)]);
    return {
      ok: true,
      start: (port) => start([loader, '--library-path', library, program], port),
      remove: () => rmSync(folder, { recursive: true, force: true }),
    };
  } catch (error) {
    if (!(error instanceof DebsError) && !(error instanceof ToolError)) throw error;
    return { ok: false, why: error.message.split('\n').at(-1)! };
  } finally {
    await debs.close();
  }
}

/** Nothing is taken from this machine, which may have no headers or other ones. */
function compilation(root: string, library: string, triplet: string, output: string): string[] {
  const include = join(root, 'usr/include');
  return [
    ...[join(root, 'usr/bin/tcc'), '-w', `-B${library}/tcc`, '-nostdinc', `-L${library}`],
    ...[`-I${library}/tcc/include`, `-I${include}/${triplet}`, `-I${include}`],
    ...['-o', output, join(import.meta.dirname, 'open62541-server.c'), join(library, 'libopen62541.so.1.4')],
  ];
}

async function start([command, ...args]: string[], port?: number): Promise<Open62541> {
  const place = port ?? (await freePort());
  const child = spawn(command!, [...args, String(place)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const first = await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)]);
  if (!first) throw new Error('the open62541 server ended without a word');
  return {
    endpointUrl: `opc.tcp://127.0.0.1:${place}`,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
