import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { makeHome, storedSamples } from './testing/home.ts';
import { scratch } from './testing/scratch.ts';

const program = join(import.meta.dirname, 'main.ts');
// Port 9 (discard) answers nowhere: neither a cloud nor a device.
const yaml = `
version: 1
gatewayId: 018f0000-0000-7000-8000-000000000001
name: Alone
nats: { url: 'nats://127.0.0.1:9' }
connections:
  - id: bus
    driver: modbus
    params: { transport: tcp, host: 127.0.0.1, port: 9, timeoutMs: 200 }
    devices:
      - equipmentId: 018f0000-0000-7000-8000-000000000002
        name: Nobody
        params: { unit: 1 }
        points:
          - { id: 018f0000-0000-7000-8000-000000000003, address: 'hr:0:u16', kind: gauge, unit: kW, pollMs: 200 }
`;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly messages: string[];
}

/** Runs the program to its end; `onMessage` may send it a signal. */
function run(
  home: string,
  env: object,
  onMessage: (message: string, kill: (signal: NodeJS.Signals) => void) => void,
) {
  return new Promise<Ended>((resolve) => {
    // As on a gateway, where it keeps what it compiled in a place of its own.
    const child = spawn(process.execPath, [program, '--home', home], {
      env: { ...process.env, NODE_COMPILE_CACHE: '', ...env },
    });
    const messages: string[] = [];
    createInterface(child.stdout).on('line', (line) => {
      const { msg } = JSON.parse(line) as { msg: string };
      messages.push(msg);
      onMessage(msg, (signal) => child.kill(signal));
    });
    child.on('close', (code, signal) => {
      resolve({ code, signal, messages });
    });
  });
}

test('is ready without a cloud and without a device, and stops when asked, everything on disk', async () => {
  using home = scratch();
  makeHome(home.path, yaml);
  let askedAt = 0;
  const ended = await run(home.path, {}, (message, kill) => {
    if (message !== 'device does not answer') return;
    askedAt = Date.now();
    kill('SIGTERM');
  });
  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(ended.messages.filter((message) => message !== 'nats not connected')).toEqual([
    ...['ready', 'device does not answer', 'stopping', 'stopped'],
  ]);
  expect(Date.now() - askedAt).toBeLessThan(5_000);
  const db = new DatabaseSync(join(home.path, 'outbox.sqlite'), { readOnly: true });
  expect(db.prepare('SELECT kind FROM message ORDER BY seq').all()).toEqual([
    { kind: 'points' },
    { kind: 'samples' },
  ]);
  db.close();
}, 30_000);

test('the points of a device that cannot be read as configured are bad from the start', async () => {
  using home = scratch();
  makeHome(home.path, yaml.replace('params: { unit: 1 }', 'params: { unit: 999 }'));
  const ended = await run(home.path, {}, (message, kill) => {
    if (message === 'ready') kill('SIGTERM');
  });
  expect(ended.messages[0]).toBe('device is not readable as configured');
  expect(storedSamples(home.path)).toEqual([[0, null, 2]]);
}, 30_000);

test('a failpoint kills it on the spot: what was not committed is not there', async () => {
  using home = scratch();
  makeHome(home.path, yaml);
  const ended = await run(home.path, { PARKLINE_FAILPOINT: 'before-commit:crash@2' }, () => undefined);
  expect(ended.signal).toBe('SIGKILL');
  const db = new DatabaseSync(join(home.path, 'outbox.sqlite'));
  expect(db.prepare('SELECT kind FROM message').all()).toEqual([{ kind: 'points' }]);
  db.close();
}, 30_000);

test('an empty home ends it with one message and code 1', async () => {
  using home = scratch();
  const ended = await run(home.path, {}, () => undefined);
  expect(ended).toMatchObject({ code: 1, messages: ['gateway cannot run'] });
}, 30_000);

test('another room for the outbox starts it again in the same process, with the same outbox', async () => {
  using home = scratch();
  makeHome(home.path, yaml);
  const epoch = (): unknown => {
    const db = new DatabaseSync(join(home.path, 'outbox.sqlite'), { readOnly: true });
    try {
      return db.prepare('SELECT epoch FROM meta').get();
    } finally {
      db.close();
    }
  };
  let before: unknown;
  let readies = 0;
  const ended = await run(home.path, {}, (message, kill) => {
    if (message !== 'ready') return;
    readies += 1;
    if (readies === 1) {
      before = epoch();
      writeFileSync(join(home.path, 'config/inbox.yaml'), `${yaml}outbox: { maxMegabytes: 64 }\n`);
    } else kill('SIGTERM');
  });
  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(ended.messages).toContain('starting again with another configuration');
  expect(readies).toBe(2);
  expect(before).toBeDefined();
  expect(epoch()).toEqual(before);
}, 30_000);
