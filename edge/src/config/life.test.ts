import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayEvent } from '@parkline/contract';
import { expect, test } from 'vitest';
import { realDisk } from '../base/disk.ts';
import { createDeviceBoard } from '../health/devices.ts';
import { writeHealth } from '../health/file.ts';
import { OutboxError } from '../pipeline/outbox.ts';
import { makeHome } from '../testing/home.ts';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { scratch } from '../testing/scratch.ts';
import { createVirtualTime, type VirtualTime } from '../testing/virtual-time.ts';
import { createConfigLife } from './life.ts';
import type { GatewayConfig } from './schema.ts';
import { startHome } from './start.ts';
import { type ConfigStore, hashOf, openConfigStore } from './store.ts';

const gatewayId = '018f0000-0000-7000-8000-000000000001';
const device = (n: number, unit: number) => `
      - equipmentId: 018f0000-0000-7000-8000-00000000001${n}
        name: Meter ${n}
        params: { unit: ${unit} }
        points: [{ id: 018f0000-0000-7000-8000-00000000002${n}, address: 'hr:0:u16', kind: gauge, unit: kW }]`;
const yamlOf = (devices: string, nats = 4222): string => `
version: 1
gatewayId: ${gatewayId}
name: Gateway
nats: { url: 'nats://127.0.0.1:${nats}' }
connections:
  - id: bus
    driver: modbus
    devices: ${devices || '[]'}
`;
const first = yamlOf(device(1, 1) + device(2, 2));
const second = yamlOf(device(1, 1) + device(2, 3));

/** A gateway in its home whose devices answer once a second while `answers` has their number. */
function start(path: string, time: VirtualTime, answers: Set<string>) {
  const store = openConfigStore(path, realDisk);
  const now = (): number => time.clock.now();
  const home = startHome(path, { store, env: {}, now });
  const stop = new AbortController();
  const seen = { restarts: 0, changes: [] as GatewayConfig[], told: [] as GatewayEvent[], isCloud: true };
  let isDiskBroken = false;
  const devicesOf = (config: GatewayConfig) => config.connections.flatMap(({ devices }) => devices);
  const faults = rememberingFaults();
  const board = createDeviceBoard({
    ...{ devices: devicesOf(home.config), now, faults, onChange: () => undefined },
  });
  let config = home.config;
  const life = createConfigLife({
    ...{ store, config, natsUrl: undefined, board, clock: time.clock, wait: time.wait, faults },
    isCloudConnected: () => seen.isCloud,
    change(next) {
      const before = new Map(devicesOf(config).map((one) => [one.equipmentId, JSON.stringify(one)]));
      const same = devicesOf(next).filter((one) => before.get(one.equipmentId) === JSON.stringify(one));
      config = next;
      seen.changes.push(next);
      board.change(devicesOf(next), new Set(same.map(({ equipmentId }) => equipmentId)));
      return Promise.resolve();
    },
    restart() {
      seen.restarts += 1;
      stop.abort();
    },
    events: {
      add(event) {
        if (isDiskBroken) throw new OutboxError('disk', 'no space');
        seen.told.push(event);
      },
    },
  });
  async function poll(): Promise<void> {
    while (!stop.signal.aborted) {
      for (const { equipmentId, params } of devicesOf(config)) {
        const isHere = answers.has(`unit ${(params as { unit: number }).unit}`);
        board.outcome(equipmentId, isHere ? undefined : new Error('no answer'), now());
      }
      await time.wait(1_000, stop.signal);
    }
  }
  const done = Promise.all([life.run(stop.signal), poll()]);
  return {
    ...{ store, life, seen, board, home, done },
    breakDisk: (isBroken: boolean) => void (isDiskBroken = isBroken),
    /** As a kill: nothing more is done. */
    async stop() {
      stop.abort();
      await done;
    },
    keepHealth() {
      writeHealth(join(path, 'health.json'), {
        ...{ gatewayId, at: now(), startedAt: 0, version: '0', devices: board.list() },
        outbox: { pending: 0, oldestAt: null, bytes: 0, maxBytes: 1 },
      });
    },
  };
}

function given(path: string, ...answers: string[]) {
  makeHome(path, first);
  const time = createVirtualTime(1_000_000);
  return { time, answering: new Set(answers) };
}
const wish = (path: string, yaml: string): void => {
  mkdirSync(join(path, 'config'), { recursive: true });
  writeFileSync(join(path, 'config/inbox.yaml'), yaml);
};
const inForce = (path: string): string => readFileSync(join(path, 'gateway.yaml'), 'utf8');
const states = (store: ConfigStore): string[] => store.state().history.map(({ state }) => state);
const told = (events: readonly GatewayEvent[]) =>
  events.flatMap((event) => (event.type === 'config' ? [[event.state, event.hash]] : []));

test('a change under which all devices answer again is made while all runs, and kept', async () => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1', 'unit 2', 'unit 3');
  const gateway = start(home.path, time, answering);
  await time.advance(2_500);
  wish(home.path, second);
  await time.advance(3_000);
  expect(inForce(home.path)).toBe(second);
  expect(states(gateway.store)).toEqual(['kept', 'applied']);
  await time.advance(5_000);
  expect(states(gateway.store)).toEqual(['kept', 'kept']);
  expect(gateway.seen).toMatchObject({ restarts: 0, changes: [{ name: 'Gateway' }] });
  expect(told(gateway.seen.told)).toEqual([
    ['applied', hashOf(second)],
    ['kept', hashOf(second)],
  ]);
  await gateway.stop();
});

test('a device that does not answer any more takes the change back after 120 s, and not before', async () => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1', 'unit 2');
  const gateway = start(home.path, time, answering);
  await time.advance(2_500);
  wish(home.path, second);
  await time.advance(115_000);
  expect(inForce(home.path)).toBe(second);
  await time.advance(8_000);
  expect(inForce(home.path)).toBe(first);
  expect(states(gateway.store)).toEqual(['kept', 'rolled-back']);
  expect(gateway.store.state().history[1]?.why).toContain('018f0000-0000-7000-8000-000000000012');
  expect(gateway.seen.changes).toHaveLength(2);
  expect(told(gateway.seen.told).map(([state]) => state)).toEqual(['applied', 'rolled-back']);
  await time.advance(5_000);
  expect(gateway.board.list().map(({ state }) => state)).toEqual(['online', 'online']);
  await gateway.stop();
});

test('a device that was silent before, and one that is not configured any more, need not answer', async () => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1');
  const gateway = start(home.path, time, answering);
  await time.advance(3_500);
  wish(home.path, second);
  await time.advance(8_000);
  expect(states(gateway.store)).toEqual(['kept', 'kept']);
  wish(home.path, yamlOf(device(2, 3)));
  await time.advance(8_000);
  expect(states(gateway.store)).toEqual(['kept', 'kept', 'kept']);
  await gateway.stop();
});

test('a person on site does not wait for the end of a trial', async () => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1', 'unit 2');
  const gateway = start(home.path, time, answering);
  await time.advance(2_500);
  wish(home.path, second);
  await time.advance(10_000);
  wish(home.path, first);
  await time.advance(1_500);
  expect(inForce(home.path)).toBe(first);
  expect(gateway.store.state().trial).toMatchObject({ previous: 1, required: { length: 2 } });
  await time.advance(6_000);
  expect(states(gateway.store)).toEqual(['kept', 'rolled-back', 'kept']);
  await gateway.stop();
});

test('what cannot be read, and what is for another gateway, is refused with all faults and changes nothing', async () => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1', 'unit 2');
  const gateway = start(home.path, time, answering);
  wish(home.path, first.replace('version: 1', 'version: 2').replace('kind: gauge', 'kind: gouge'));
  await time.advance(2_000);
  wish(home.path, first.replace(gatewayId, '018f0000-0000-7000-8000-000000000099'));
  await time.advance(2_000);
  const [, faulty, foreign] = gateway.store.state().history;
  expect(faulty).toMatchObject({ n: 2, state: 'refused' });
  expect(faulty?.why).toMatch(/\/version.*\/kind/s);
  expect(foreign?.why).toContain('000000000099');
  expect(inForce(home.path)).toBe(first);
  expect(gateway.seen.changes).toEqual([]);
  expect(told(gateway.seen.told).map(([state]) => state)).toEqual(['refused', 'refused']);
  await gateway.stop();
});

test('another broker needs a restart in order, and must be reached as the first was', async () => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1', 'unit 2');
  const before = start(home.path, time, answering);
  await time.advance(2_500);
  const elsewhere = yamlOf(device(1, 1) + device(2, 2), 4999);
  wish(home.path, elsewhere);
  await time.advance(2_000);
  await before.done;
  expect(before.seen).toMatchObject({ restarts: 1, changes: [] });
  const after = start(home.path, time, answering);
  after.seen.isCloud = false;
  expect(after.home.config.nats.url).toContain('4999');
  await time.advance(123_000);
  await after.done;
  expect(inForce(home.path)).toBe(first);
  expect(after.seen.restarts).toBe(1);
  expect(after.store.state().history[1]).toMatchObject({
    state: 'rolled-back',
    why: 'the cloud was reached before and is not',
  });
});

test('a trial goes on after a kill with the time that it has left', async () => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1', 'unit 2');
  const before = start(home.path, time, answering);
  await time.advance(2_500);
  wish(home.path, second);
  await time.advance(91_000);
  await before.stop();
  await time.advance(3_600_000); // Without power.
  const after = start(home.path, time, answering);
  await time.advance(20_000);
  expect(inForce(home.path)).toBe(second);
  await time.advance(20_000);
  expect(inForce(home.path)).toBe(first);
  await after.stop();
});

test('three starts that come to nothing take the change back at the fourth', async () => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1', 'unit 2', 'unit 3');
  const before = start(home.path, time, answering);
  await time.advance(2_500);
  wish(home.path, second);
  await time.advance(2_000);
  await before.stop();
  for (let n = 0; n < 3; n += 1) {
    const crashing = start(home.path, time, answering);
    await time.advance(3_000);
    expect(inForce(home.path)).toBe(second);
    await crashing.stop();
  }
  const last = start(home.path, time, answering);
  expect(inForce(home.path)).toBe(first);
  expect(last.home.config.connections[0]?.devices[1]?.params).toEqual({ unit: 2 });
  await time.advance(2_000);
  expect(told(last.seen.told)).toEqual([['rolled-back', hashOf(second)]]);
  await last.stop();
});

test.each(['gateway.yaml', 'config/inbox.yaml'])('what lies in %s at the start is on trial', async (file) => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1', 'unit 2');
  const before = start(home.path, time, answering);
  await time.advance(2_500);
  before.keepHealth();
  await before.stop();
  writeFileSync(join(home.path, file), second);
  const after = start(home.path, time, answering);
  expect(after.home.config.connections[0]?.devices[1]?.params).toEqual({ unit: 3 });
  expect(after.store.state()).toMatchObject({ current: 2, trial: { previous: 1, starts: 1 } });
  expect(after.store.state().trial?.required).toHaveLength(2);
  await time.advance(122_000);
  expect(inForce(home.path)).toBe(first);
  expect(after.store.inbox()).toBeUndefined();
  await after.stop();
});

test('an offer of the cloud is taken once, and an older one never', async () => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1', 'unit 2', 'unit 3');
  const gateway = start(home.path, time, answering);
  await time.advance(2_500);
  const offer = (yaml: string, offerAt: number): void => {
    gateway.life.offer({ yaml, source: 'cloud', offerAt });
  };
  offer(second, 50);
  offer(first, 40);
  await time.advance(9_000);
  expect(inForce(home.path)).toBe(second);
  offer(first, 50);
  await time.advance(9_000);
  expect(inForce(home.path)).toBe(second);
  offer(second, 60);
  await time.advance(2_000);
  expect(told(gateway.seen.told).map(([state]) => state)).toEqual(['applied', 'kept', 'kept']);
  expect(gateway.store.state().history).toHaveLength(2);
  await gateway.stop();
});

test('a result waits while the disk refuses it, and is told once', async () => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1', 'unit 2', 'unit 3');
  const gateway = start(home.path, time, answering);
  gateway.breakDisk(true);
  wish(home.path, second);
  await time.advance(9_000);
  expect(gateway.seen.told).toEqual([]);
  await gateway.stop();
  const after = start(home.path, time, answering);
  await time.advance(5_000);
  expect(told(after.seen.told).map(([state]) => state)).toEqual(['applied', 'kept']);
  expect(after.store.state().untold).toEqual([]);
  await after.stop();
});
