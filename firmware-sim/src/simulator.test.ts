import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask } from './cli/control-client.ts';
import { demo } from './models/testing.ts';
import type { Park } from './park.ts';
import { pointsOf } from './points.ts';
import { CONTROL, type Ports } from './ports.ts';
import { createSimulator } from './simulator.ts';

/** The Modbus part of the demo park: all of its devices are modelled, and its meters can be asked. */
const meters: Park = { ...demo, buses: demo.buses.filter(({ transport }) => transport) };

async function started(dataDir?: string): Promise<Ports> {
  const simulator = createSimulator({ park: meters, seed: 1, ...(dataDir ? { dataDir } : {}) });
  onTestFinished(() => simulator.stop());
  return simulator.start();
}

/** Modbus TCP, function 3. @returns the words, or undefined when nobody answers within `patienceMs`. */
async function read(
  { host, port }: { host: string; port: number },
  [unit, address, count]: readonly [number, number, number],
  patienceMs = 5_000,
): Promise<Buffer | undefined> {
  const socket = connect(port, host);
  try {
    const request = Buffer.from([0, 1, 0, 0, 0, 6, unit, 3, 0, 0, 0, count]);
    request.writeUInt16BE(address, 8);
    socket.write(request);
    const [reply] = (await once(socket, 'data', { signal: AbortSignal.timeout(patienceMs) })) as [Buffer];
    return reply.subarray(9);
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** Wh on the register of the ground floor of building B, a Carlo Gavazzi EM24: address 62, low word first, 0.1 kWh. */
async function register(ports: Ports): Promise<number> {
  const words = (await read(ports['b-panel']!, [1, 62, 2]))!;
  return (words.readUInt16BE(2) * 65_536 + words.readUInt16BE(0)) * 100;
}

test('the demo park shows at least 300 points, by its device tables', () => {
  expect(pointsOf(demo)).toBeGreaterThanOrEqual(300);
});

test('a meter keeps silent while its scenario is on, and its neighbours answer', async () => {
  const ports = await started();
  const scenario = (on: boolean) => ask(ports[CONTROL]!, { do: 'scenario', name: 'meter-silent', on });
  const canteen = [3, 0, 2] as const;
  expect(await read(ports['b-panel']!, canteen)).toBeDefined();
  expect(await scenario(true)).toMatchObject({ changed: true, scenario: { name: 'meter-silent' } });
  expect(await read(ports['b-panel']!, canteen, 300)).toBeUndefined();
  expect(await register(ports)).toBeGreaterThan(0);
  expect(await scenario(false)).toMatchObject({ changed: true });
  expect(await read(ports['b-panel']!, canteen)).toBeDefined();
});

test('a meter that is replaced shows its new register, also to a simulator that starts again', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sim-data-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const ports = await started(dataDir);
  const before = await register(ports);
  expect(before).toBeGreaterThan(1_000_000);
  await ask(ports[CONTROL]!, { do: 'scenario', name: 'meter-replaced', on: true });
  await ask(ports[CONTROL]!, { do: 'scenario', name: 'meter-replaced', on: false });
  const fresh = await register(ports);
  expect(fresh).toBeGreaterThanOrEqual(12_400);
  expect(fresh).toBeLessThan(20_000);
  const again = await register(await started(dataDir));
  expect(again).toBeGreaterThanOrEqual(fresh);
  expect(again).toBeLessThan(20_000);
});

test.each([
  [{ do: 'scenario', name: 'flood', on: true }, 'no scenario flood; there are ahu-1-supply-fan-fails,'],
  [{ do: 'scenario', name: 'leak' }, 'on is true or false'],
  [{ do: 'dance' }, 'do is one of fault, clear, unplug, plug, scenarios, scenario'],
  [{ do: 'unplug', bus: 'x' }, 'no bus x; there are a-main,'],
])('the control port refuses %j', async (command, why) => {
  const ports = await started();
  await expect(ask(ports[CONTROL]!, command)).rejects.toThrow(why);
});

test('scenarios whose devices a park does not have are not offered', async () => {
  const park: Park = {
    ...meters,
    equipment: [],
    meters: meters.meters.filter(({ bus }) => bus === 'b-panel'),
  };
  const simulator = createSimulator({ park, seed: 1 });
  expect(simulator.scenarios.list().map(({ scenario }) => scenario.name)).toEqual([
    'meter-replaced',
    'meter-silent',
  ]);
});

test('a park that speaks more than Modbus needs a folder for its servers', async () => {
  await expect(createSimulator({ park: demo, seed: 1 }).start()).rejects.toThrow(
    'its servers need a dataDir',
  );
});
