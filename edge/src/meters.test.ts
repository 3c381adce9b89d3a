import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { behindSerial, type MeterBench, type SerialBench, startMeters } from '../../tests/support/meters.ts';
import { makeHome, storedSamples } from './testing/home.ts';
import { scratch } from './testing/scratch.ts';

const patience = { timeout: 20_000, interval: 100 };
const uuid = (n: number): string => `018f0000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const power = '000031000001';
const water = '33780015059001';

const yamlOf = (powerLine: object, pipesLine: object): string => `
version: 1
gatewayId: ${uuid(1)}
name: Shop street
nats: { url: 'nats://127.0.0.1:9' }
connections:
  - id: power
    driver: dlt645
    params: ${JSON.stringify(powerLine)}
    devices:
      - equipmentId: ${uuid(2)}
        name: Shop
        params: { address: '${power}' }
        points:
          - { id: ${uuid(3)}, address: '00010000', kind: register, unit: kWh, scale: 100, resolution: 0.01, pollMs: 500 }
          - { id: ${uuid(4)}, address: '02030000', kind: gauge, unit: kW, pollMs: 500 }
  - id: pipes
    driver: cjt188
    params: ${JSON.stringify(pipesLine)}
    devices:
      - equipmentId: ${uuid(5)}
        name: Water
        params: { type: '10', address: '${water}' }
        points:
          - { id: ${uuid(6)}, address: '901F:volume', kind: register, unit: m³, scale: 100, resolution: 0.01, pollMs: 500 }
`;

let home: ReturnType<typeof scratch>;
let electricity: MeterBench;
let pipes: MeterBench;
let serial: SerialBench | { readonly why: string };
let gateway: ChildProcess;

beforeEach(async () => {
  home = scratch();
  electricity = await startMeters('dlt645', [{ key: 'e', address: power, table: 'test-bench/dlt645' }]);
  pipes = await startMeters('cjt188', [{ key: 'w', address: water, table: 'test-bench/cjt188-water' }]);
  serial = await behindSerial(electricity.port);
  const tcp = (port: number): object => ({ transport: 'tcp', host: '127.0.0.1', port, timeoutMs: 500 });
  const powerLine =
    'why' in serial
      ? tcp(electricity.port) // Without python3 there are no pseudo terminals; the drivers' own tests say so aloud.
      : { transport: 'serial', path: serial.path, parity: 'none', baudRate: 9_600, timeoutMs: 500 };
  makeHome(home.path, yamlOf(powerLine, tcp(pipes.port)));
  const program = join(import.meta.dirname, 'main.ts');
  gateway = spawn(process.execPath, [program, '--home', home.path], { stdio: 'ignore' });
});
afterEach(async () => {
  gateway.kill('SIGKILL');
  if (gateway.exitCode === null && gateway.signalCode === null) await once(gateway, 'exit');
  if (!('why' in serial)) await serial.close();
  await Promise.all([electricity.stop(), pipes.stop()]);
  home[Symbol.dispose]();
});

/** The last value on disk of each point, in the order of the configuration. */
function lastValues(): unknown[] {
  const last = new Map<number, unknown>();
  if (existsSync(join(home.path, 'outbox.sqlite')))
    for (const [point, value] of storedSamples(home.path)) last.set(point, value);
  return [...last].sort(([a], [b]) => a - b).map(([, value]) => value);
}

test('a gateway stores what meters on a serial line and behind a serial server show, and that one fell silent', async () => {
  await expect.poll(lastValues, patience).toEqual([12_345_678, -3.6042, 432_109]);
  electricity.fault({ fault: { kind: 'silence' } });
  await expect.poll(lastValues, patience).toEqual([null, null, 432_109]);
  electricity.clear();
  await expect.poll(lastValues, patience).toEqual([12_345_678, -3.6042, 432_109]);
});
