import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ask } from './cli/control-client.ts';
import { CONTROL, type Ports, writePorts } from './ports.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sim-main-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const park = (name: string): string => join(import.meta.dirname, '../parks', `${name}.yaml`);
const portsFile = (): string => join(folder, 'ports.json');
const ports = (): Ports => JSON.parse(readFileSync(portsFile(), 'utf8')) as Ports;
const start = (name = 'small', more: readonly string[] = []): ChildProcess =>
  spawn(process.execPath, [
    ...[join(import.meta.dirname, 'main.ts'), '--park', park(name), '--ports', portsFile()],
    ...['--log', join(folder, 'log'), ...more],
  ]);

/** The next line of its log. */
async function said(child: ChildProcess): Promise<{ msg: string; level: number; points?: number }> {
  const lines = createInterface({ input: child.stdout! });
  const [line] = (await once(lines, 'line')) as [string];
  return JSON.parse(line) as { msg: string; level: number; points?: number };
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

test('plays the demo park over four protocols: at least 300 points, the same certificates and scenarios after a restart', async () => {
  const secrets = join(folder, 'secrets.json');
  const keys = ['gate', 'leak'].flatMap((kind) =>
    ['a-1', 'a-2', 'b-1', 'b-2'].map((where) => `${kind}-${where}`),
  );
  writeFileSync(secrets, JSON.stringify(Object.fromEntries(keys.map((key) => [key, `token of ${key}`]))));
  const first = start('demo', ['--secrets', secrets]);
  const ready = await said(first);
  expect(ready).toMatchObject({ msg: 'ready', park: 'demo', meters: 21, equipment: 23, buses: 15 });
  expect(ready.points).toBeGreaterThanOrEqual(300);
  const before = ports();
  expect(before['a-opcua']?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(before['a-opcua']?.fingerprint).not.toBe(before['b-opcua']?.fingerprint);
  expect(await ask(before[CONTROL]!, { do: 'scenario', name: 'leak', on: true })).toMatchObject({
    changed: true,
  });
  expect(await stop(first)).toBe(0);

  const second = start('demo', ['--secrets', secrets]);
  expect(await said(second)).toMatchObject({ msg: 'ready' });
  expect(ports()).toEqual(before);
  expect(await ask(before[CONTROL]!, { do: 'scenario', name: 'leak', on: true })).toMatchObject({
    changed: false,
  });
  expect(await stop(second)).toBe(0);
}, 60_000);

test('devices that have to log in need their tokens', async () => {
  const child = start('demo');
  const exit = once(child, 'exit');
  expect(await said(child)).toMatchObject({
    level: 60,
    msg: 'gate-a-1 has no token: start with --secrets FILE',
  });
  expect((await exit)[0]).toBe(1);
}, 20_000);
