import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MqttBench, startMqttBench } from '../../tests/support/mqtt.ts';
import { makeHome, storedSamples, storedWithTimes } from './testing/home.ts';
import { scratch } from './testing/scratch.ts';

const patience = { timeout: 20_000, interval: 100 };
const uuid = (n: number): string => `018f0000-0000-7000-8000-${String(n).padStart(12, '0')}`;

let home: ReturnType<typeof scratch>;
let bench: MqttBench;
let gateway: ChildProcess;

const yamlOf = ({ place, paramsOf }: MqttBench): string => `
version: 1
gatewayId: ${uuid(1)}
name: Beside the gate
nats: { url: 'nats://127.0.0.1:9' }
connections:
  - id: gates
    driver: mqtt
    params: ${JSON.stringify(place)}
    devices:
      - equipmentId: ${uuid(2)}
        name: Gate
        params: ${JSON.stringify(paramsOf('gate'))}
        points:
          - { id: ${uuid(3)}, address: 'state:/open', kind: state, unit: '1', pollMs: 60000 }
          - { id: ${uuid(4)}, address: 'state:/count/in', kind: gauge, unit: '1', pollMs: 60000 }
`;

function start(): void {
  const program = join(import.meta.dirname, 'main.ts');
  gateway = spawn(process.execPath, [program, '--home', home.path], { stdio: 'ignore' });
}

const stored = () => (existsSync(join(home.path, 'outbox.sqlite')) ? storedSamples(home.path) : []);
/** Values of a point in the order they were written; null for bad. */
const valuesOf = (point: number) => stored().flatMap(([p, value]) => (p === point ? [value] : []));

beforeEach(async () => {
  home = scratch();
  bench = await startMqttBench(['gate']);
  makeHome(home.path, yamlOf(bench));
  start();
});
afterEach(async () => {
  gateway.kill('SIGKILL');
  if (gateway.exitCode === null && gateway.signalCode === null) await once(gateway, 'exit');
  await bench.stop();
  home[Symbol.dispose]();
});

test('a device that comes to a gateway is on disk with every change, gone when it goes, and there again after a kill', async () => {
  await expect.poll(() => [valuesOf(0), valuesOf(1)], patience).toEqual([[1], [4711]]);
  bench.values.set('open', 0);
  await expect.poll(() => valuesOf(0), patience).toEqual([1, 0]);

  await bench.unplug(); // No poll is due for a minute: the last will tells.
  await expect
    .poll(() => [valuesOf(0), valuesOf(1)], patience)
    .toEqual([
      [1, 0, null],
      [4711, null],
    ]);
  bench.values.set('passes', 4712);
  await bench.plug();
  await expect
    .poll(() => [valuesOf(0), valuesOf(1)], patience)
    .toEqual([
      [1, 0, null, 0],
      [4711, null, 4712],
    ]);

  gateway.kill('SIGKILL');
  await once(gateway, 'exit');
  bench.values.set('passes', 4713);
  start();
  await expect.poll(() => valuesOf(1).at(-1), patience).toBe(4713);
  // What was acknowledged shortly before the kill comes once more, at the times it had; the device may repeat itself, too.
  const byTime = new Map(
    storedWithTimes(home.path).map(([p, value, , at]) => [`${at} ${p}`, { p, value, at }]),
  );
  const inOrder = [...byTime.values()].filter(({ p }) => p === 1).toSorted((a, b) => a.at - b.at);
  expect(inOrder.map(({ value }) => value).filter((value, i, all) => value !== all[i - 1])).toEqual([
    ...[4711, null, 4712, 4713],
  ]);
}, 90_000);
