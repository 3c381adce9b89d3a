import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Ports, writePorts } from './ports.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sim-main-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const park = join(import.meta.dirname, '../parks/small.yaml');
const portsFile = (): string => join(folder, 'ports.json');
const ports = (): Ports => JSON.parse(readFileSync(portsFile(), 'utf8')) as Ports;
const start = (): ChildProcess =>
  spawn(process.execPath, [
    join(import.meta.dirname, 'main.ts'),
    '--park',
    park,
    '--ports',
    portsFile(),
    '--log',
    join(folder, 'log'),
  ]);

/** The next line of its log. */
async function said(child: ChildProcess): Promise<{ msg: string; level: number }> {
  const lines = createInterface({ input: child.stdout! });
  const [line] = (await once(lines, 'line')) as [string];
  return JSON.parse(line) as { msg: string; level: number };
}

async function stop(child: ChildProcess): Promise<unknown> {
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  return (await exit)[0];
}

test('says when it is ready, stops when told, and listens on the same ports after a restart', async () => {
  const first = start();
  expect(await said(first)).toMatchObject({ msg: 'ready', level: 30 });
  const before = ports();
  expect(Object.keys(before)).toEqual(['s-main', 's-panel', 's-riser', '@control']);
  expect(await stop(first)).toBe(0);
  const second = start();
  expect(await said(second)).toMatchObject({ msg: 'ready' });
  expect(ports()).toEqual(before);
  expect(await stop(second)).toBe(0);
}, 20_000);

test('a port that is taken ends it with one message', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const first = start();
  await said(first);
  await stop(first);
  const taken = (other.address() as { port: number }).port;
  writePorts(portsFile(), { ...ports(), 's-panel': { host: '127.0.0.1', port: taken } });
  const second = start();
  const exit = once(second, 'exit');
  expect(await said(second)).toMatchObject({ level: 60, msg: `s-panel cannot listen on port ${taken}` });
  expect((await exit)[0]).toBe(1);
  other.close();
}, 20_000);
