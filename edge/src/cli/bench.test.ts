import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import { createUser } from '@nats-io/nkeys';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type BenchSimulator, startBench } from '../../../tests/support/simulator.ts';
import { scratch } from '../testing/scratch.ts';
import * as discover from './discover.ts';
import * as doctor from './doctor.ts';
import * as read from './read.ts';
import * as watch from './watch.ts';
import * as write from './write.ts';

const home = scratch();
let simulator: BenchSimulator;
let tcp: string;
beforeAll(async () => {
  simulator = await startBench({ transport: 'tcp', buses: { line: [3, 7] }, table: 'test-bench/writable' });
  const { host, port } = simulator.ports['line']!;
  tcp = `${host}:${port}`;
  givenHome(host, port);
});
afterAll(async () => {
  await simulator.stop();
  home[Symbol.dispose]();
});
afterEach(() => {
  process.exitCode = undefined;
});

const ids = (n: number): string => `018f0000-0000-7000-8000-00000000000${n}`;

/** A gateway that has never run, with one device; its cloud is not there. */
function givenHome(host: string, port: number): void {
  const pem = generateKeyPairSync('ed25519');
  mkdirSync(join(home.path, 'keys'));
  writeFileSync(join(home.path, 'keys/signing.pem'), pem.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(home.path, 'keys/cloud.pub.pem'), pem.publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(home.path, 'keys/nats.nk'), createUser().getSeed());
  const points = [
    { id: ids(3), key: 'temperature', address: 'hr:0:u16', kind: 'gauge', unit: '°C' },
    {
      id: ids(4),
      key: 'setpoint',
      address: 'hr:299:u16',
      kind: 'gauge',
      unit: '°C',
      write: { min: 10, max: 30 },
    },
  ];
  const device = { equipmentId: ids(2), name: 'Boiler', params: { unit: 3 }, points };
  const connection = {
    id: 'line',
    driver: 'modbus',
    params: { transport: 'tcp', host, port },
    devices: [device],
  };
  const config = {
    version: 1,
    gatewayId: ids(1),
    name: 'bench',
    nats: { url: 'nats://127.0.0.1:9' },
    connections: [connection],
  };
  writeFileSync(join(home.path, 'gateway.yaml'), stringify(config));
}

async function run(command: { register: typeof read.register }, ...args: string[]) {
  let [out, err] = ['', ''];
  const io = {
    ...{ out: (text: string) => void (out += text), err: (text: string) => void (err += text) },
    ...{ env: { XDG_STATE_HOME: home.path }, cwd: home.path },
  };
  const program = new Command('parkline').exitOverride();
  command.register(program, io);
  const error = await program.parseAsync(args, { from: 'user' }).then(
    () => undefined,
    (reason: unknown) => reason as Error & { code?: string },
  );
  return { out, err, error, exitCode: process.exitCode ?? 0 };
}

test('discover finds the units of a line', async () => {
  const { out, exitCode } = await run(
    discover,
    'discover',
    'modbus',
    '--tcp',
    tcp,
    '--from',
    '1',
    '--to',
    '9',
    '--timeout',
    '300',
    '--json',
  );
  expect((JSON.parse(out) as { params: unknown }[]).map(({ params }) => params)).toEqual([
    { unit: 3 },
    { unit: 7 },
  ]);
  expect(exitCode).toBe(0);
});

test('read shows values, refuses what the device refuses, and says by its exit code how many were good', async () => {
  const all = await run(read, 'read', 'modbus', '--tcp', tcp, '--unit', '3', 'hr:0:u16', '--json');
  expect(JSON.parse(all.out)).toEqual([
    expect.objectContaining({ address: 'hr:0:u16', value: expect.any(Number), quality: 'good' }),
  ]);
  expect(all.exitCode).toBe(0);
  const some = await run(read, 'read', 'modbus', '--tcp', tcp, '--unit', '3', 'hr:0:u16', 'hr:65000:u16');
  expect(some.exitCode).toBe(3);
  expect(some.out).toMatch(/hr:65000:u16\s+—\s+bad: illegal data address/);
});

test('a device of the gateway is named by its name, and its points by their keys', async () => {
  const { out, exitCode } = await run(read, 'read', 'Boiler', '--home', home.path, 'temperature', '--json');
  expect(JSON.parse(out)).toEqual([
    expect.objectContaining({ name: 'temperature', unit: '°C', quality: 'good' }),
  ]);
  expect(exitCode).toBe(0);
});

test.each([
  [
    ['read', 'Pump', '--home', home.path],
    /Pump is neither a protocol .*nor a device of this gateway \(Boiler\)/,
  ],
  [['read', 'modbus', '--tcp', '127.0.0.1:1', '--unit', '3'], /which points of modbus/],
  [['read', 'modbus', 'hr:0:u16'], /where is the Modbus line/],
])('%o is wrong use, and says what would be right', async (args, why) => {
  const { error } = await run(read, ...args);
  expect([error?.code, error?.message]).toEqual(['usage', expect.stringMatching(why)]);
});

test('a device that is not there is a failure in two lines: what, and what to do', async () => {
  const { err, exitCode } = await run(
    read,
    'read',
    'modbus',
    '--tcp',
    tcp,
    '--unit',
    '99',
    '--timeout',
    '200',
    'hr:0:u16',
  );
  expect([err, exitCode]).toEqual([expect.stringMatching(/^127.0.0.1:\d+.*\n {2}nothing answers: check/), 1]);
});

test('watch prints what changes and ends by itself', async () => {
  const { out, exitCode } = await run(
    watch,
    'watch',
    'Boiler',
    '--home',
    home.path,
    '--every',
    '0.2',
    '--for',
    '1',
    '--json',
  );
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string });
  // The bench device shows constants: a line for each point, however often it was read.
  expect(lines.map(({ name }) => name)).toEqual(['temperature', 'setpoint']);
  expect(exitCode).toBe(0);
});

const because = ['--reason', 'valve test', '--yes'];

test('write changes what is declared writable, reads it back, and notes who and why', async () => {
  const { out, err, error } = await run(
    write,
    'write',
    'Boiler',
    'setpoint',
    '21',
    '--home',
    home.path,
    '--json',
    ...because,
  );
  expect(error).toBeUndefined();
  expect(JSON.parse(out)).toMatchObject({
    address: 'hr:299:u16',
    value: 21,
    after: 21,
    state: 'done',
    released: false,
  });
  expect(err).toMatch(/the value stays/);
  const [line] = readFileSync(join(home.path, 'local-writes.jsonl'), 'utf8').trim().split('\n');
  expect(JSON.parse(line!)).toMatchObject({ who: expect.any(String), reason: 'valve test', value: 21 });
  const { out: shown } = await run(read, 'read', 'Boiler', '--home', home.path, 'setpoint', '--json');
  expect(JSON.parse(shown)).toMatchObject([{ value: 21 }]);
});

test.each([
  [
    ['Boiler', 'temperature', '20', '--home', home.path],
    /temperature is not declared writable: add its write limits/,
  ],
  [['Boiler', 'setpoint', '31', '--home', home.path], /31 is outside what may be written, 10 to 30/],
  [
    ['Boiler', 'temperature', '20', '--home', home.path, '--min', '0', '--max', '99'],
    /not declared writable/,
  ],
  [['Boiler', 'setpoint', 'warm', '--home', home.path], /warm is neither a number/],
  [['Boiler', 'setpoint', '20', '--home', home.path, '--priority', '3'], /8 to 16/],
  [['modbus', 'hr:0:u16', '20'], /not declared writable: name --template, or --min and --max/],
])('write %o is refused before anything is sent', async (args, why) => {
  const where = args[0] === 'modbus' ? ['--tcp', tcp, '--unit', '3'] : [];
  const before = simulator.served.length;
  const { error } = await run(write, 'write', ...args, ...where, ...because);
  expect(error?.message).toMatch(why);
  expect(simulator.served).toHaveLength(before);
});

test('doctor looks at everything, says what to do, and ends with 3 when something is wrong', async () => {
  const { out, exitCode } = await run(doctor, 'doctor', '--home', home.path, '--json');
  const { ok, findings } = JSON.parse(out) as {
    ok: boolean;
    findings: { check: string; state: string; todo: string }[];
  };
  const states = Object.fromEntries(findings.map(({ check, state }) => [check, state]));
  expect(states).toMatchObject({
    ...{
      configuration: 'ok',
      disk: 'ok',
      outbox: 'skipped',
      network: 'fail',
      broker: 'skipped',
      cloud: 'skipped',
    },
    'device Boiler': 'ok',
  });
  for (const { check, state, todo } of findings)
    if (state === 'fail' || state === 'warn')
      expect([check, todo]).toEqual([check, expect.stringMatching(/\w/)]);
  expect([ok, exitCode]).toEqual([false, 3]);
});

test('doctor of a broken configuration names every fault', async () => {
  using broken = scratch();
  writeFileSync(join(broken.path, 'gateway.yaml'), 'version: 1');
  const { out } = await run(doctor, 'doctor', '--home', broken.path);
  expect(out).toMatch(/FAIL.*gateway.yaml .*gatewayId/);
  expect(out).toMatch(/FAIL.*keys\/signing.pem/);
});
