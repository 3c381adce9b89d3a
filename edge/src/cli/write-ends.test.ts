import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createUser } from '@nats-io/nkeys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type BenchSimulator, startBench } from '../../../tests/support/simulator.ts';
import { scratch } from '../testing/scratch.ts';

const program = fileURLToPath(new URL('../../../bin/parkline.js', import.meta.url));
const id = (n: number): string => `018f0000-0000-7000-8000-00000000000${n}`;
const home = scratch();
let simulator: BenchSimulator;

beforeAll(async () => {
  simulator = await startBench({ transport: 'tcp', buses: { line: [3] }, table: 'test-bench/writable' });
  const pair = generateKeyPairSync('ed25519');
  mkdirSync(join(home.path, 'keys'));
  const keep = (name: string, text: string | Uint8Array): void => {
    writeFileSync(join(home.path, name), text);
  };
  keep('keys/signing.pem', pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  keep('keys/cloud.pub.pem', pair.publicKey.export({ type: 'spki', format: 'pem' }));
  keep('keys/nats.nk', createUser().getSeed());
  const write = { min: 10, max: 30, release: 12 };
  const point = { id: id(3), key: 'setpoint', address: 'hr:299:u16', kind: 'gauge', unit: '°C', write };
  const device = { equipmentId: id(2), name: 'Boiler', params: { unit: 3 }, points: [point] };
  const params = { transport: 'tcp', ...simulator.ports['line']! };
  const connections = [{ id: 'line', driver: 'modbus', params, devices: [device] }];
  const nats = { url: 'nats://127.0.0.1:9' };
  keep('gateway.yaml', stringify({ version: 1, gatewayId: id(1), name: 'bench', nats, connections }));
});
afterAll(async () => {
  await simulator.stop();
  home[Symbol.dispose]();
});

const start = (...args: string[]) =>
  spawn(process.execPath, [program, ...args, '--home', home.path], { stdio: ['ignore', 'pipe', 'pipe'] });

async function shown(): Promise<unknown> {
  const reading = start('read', 'Boiler', 'setpoint', '--json');
  let out = '';
  for await (const part of reading.stdout) out += String(part);
  return (JSON.parse(out) as { value: unknown }[])[0]?.value;
}

test('a window that is closed, and who pulls the plug of the pipe, leave no value in the device', async () => {
  const because = ['--reason', 'valve test', '--yes', '--hold', '60'];
  const writing = start('write', 'Boiler', 'setpoint', '25', ...because);
  const ended = once(writing, 'exit');
  for await (const part of writing.stderr) if (String(part).includes('held')) break; // Ends the pipe as well.
  expect(await shown()).toBe(25);
  writing.kill('SIGHUP');
  writing.kill('SIGHUP');
  expect(await ended).toEqual([0, null]);
  expect(await shown()).toBe(12);
});
