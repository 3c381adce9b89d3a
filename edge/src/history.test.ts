import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpcuaBench, startOpcuaBench } from '../../tests/support/opcua.ts';
import { makeHome, storedWithTimes } from './testing/home.ts';
import { scratch } from './testing/scratch.ts';

const patience = { timeout: 40_000, interval: 100 };
const uuid = (n: number): string => `018f0000-0000-7000-8000-${String(n).padStart(12, '0')}`;
/** The device keeps a value this often, ms, and each is another. */
const STEP = 200;
const valueAt = (t: number): number => Math.floor(t / STEP) % 1_000_000;

let home: ReturnType<typeof scratch>;
let bench: OpcuaBench;
let gateway: ChildProcess | undefined;

const yamlOf = ({ endpointUrl, fingerprint }: OpcuaBench): string => `
version: 1
gatewayId: ${uuid(1)}
name: Beside the lift
nats: { url: 'nats://127.0.0.1:9' }
connections:
  - id: lifts
    driver: opcua
    params: ${JSON.stringify({ endpointUrl, serverFingerprint: fingerprint, timeoutMs: 2_000, samplingMs: 100, publishingMs: 100 })}
    devices:
      - equipmentId: ${uuid(2)}
        name: Lift
        params: { root: Lift1 }
        points:
          - { id: ${uuid(3)}, address: Power, kind: gauge, unit: kW, history: self, pollMs: 1000 }
          - { id: ${uuid(4)}, address: Plain, kind: gauge, unit: kW, pollMs: 1000 }
`;

function start(): void {
  const program = join(import.meta.dirname, 'main.ts');
  gateway = spawn(process.execPath, [program, '--home', home.path], { stdio: 'ignore' });
}
async function stop(): Promise<void> {
  gateway?.kill('SIGTERM');
  if (gateway?.exitCode === null) await once(gateway, 'exit');
  gateway = undefined;
}

beforeEach(async () => {
  home = scratch();
  bench = await startOpcuaBench({
    devices: ['Lift1'],
    variables: ['Power', 'Plain'].map((name) => ({
      ...{ name, as: 'UInt32' as const, quantity: name, weight: 1, digits: 0 },
      ...(name === 'Power' && { historyMs: STEP }),
    })),
    value: (_quantity, t) => valueAt(t),
  });
  makeHome(home.path, yamlOf(bench));
  start();
});
afterEach(async () => {
  await stop();
  await bench.stop();
  home[Symbol.dispose]();
});

/** Good samples of the point with a history in the order they were written, as [Unix ms, value]. */
const stored = (): [at: number, value: number | null][] =>
  existsSync(join(home.path, 'outbox.sqlite'))
    ? storedWithTimes(home.path).flatMap(([point, value, quality, at]) =>
        point === 0 && quality === 0 ? [[at, value] as [number, number | null]] : [],
      )
    : [];
const between = (from: number, to: number) => stored().filter(([at]) => at >= from && at < to);
/** What the device kept in that time. */
function kept(from: number, to: number): [number, number][] {
  const first = Math.ceil(from / STEP) * STEP;
  return Array.from({ length: Math.ceil((to - first) / STEP) }, (_, n) => [
    first + n * STEP,
    valueAt(first + n * STEP),
  ]);
}
const isFresh = (): boolean => (stored().at(-1)?.[0] ?? 0) > Date.now() - 2_500;

test('what a device kept while it was away, or while the gateway was, is on disk once, in order, and is no news', async () => {
  await expect.poll(isFresh, patience).toBe(true);

  await bench.unplug();
  const from = Date.now();
  await sleep(2_000);
  const to = Date.now();
  await bench.plug();
  await expect.poll(() => between(from, to), patience).toEqual(kept(from, to));
  await expect.poll(isFresh, patience).toBe(true);

  await stop();
  const away = Date.now();
  await sleep(1_000);
  const back = Date.now();
  start();
  await expect.poll(() => between(away, back), patience).toEqual(kept(away, back));

  const times = stored().map(([at]) => at);
  expect(new Set(times).size).toBe(times.length);
}, 120_000);
