import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayEvent } from '@parkline/contract';
import { expect, test } from 'vitest';
import { type Disk, realDisk } from '../base/disk.ts';
import {
  device,
  first,
  gatewayId,
  givenHome as given,
  second,
  startLife as start,
  yamlOf,
} from '../testing/config-life.ts';
import { scratch } from '../testing/scratch.ts';
import { type ConfigStore, hashOf } from './store.ts';

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
  expect(gateway.store.state().history[1]?.why).toMatch(
    /1 of 2 devices that answered before do not: Meter 2$/,
  );
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

test('a disk that is full for a while stops nothing, and what was begun comes to its end', async () => {
  using home = scratch();
  const { time, answering } = given(home.path, 'unit 1', 'unit 2', 'unit 3');
  let left = Infinity;
  const disk: Disk = {
    ...realDisk,
    replace(path, text) {
      if (left <= 0) throw Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' });
      left -= 1;
      realDisk.replace(path, text);
    },
  };
  const gateway = start(home.path, time, answering, disk);
  await time.advance(2_500);
  left = 2; // The version and the state are written, gateway.yaml is not.
  wish(home.path, second);
  await time.advance(10_000);
  expect(inForce(home.path)).toBe(first);
  expect(gateway.seen.changes).toEqual([]);
  left = Infinity;
  await time.advance(10_000);
  expect(inForce(home.path)).toBe(second);
  expect(states(gateway.store)).toEqual(['kept', 'kept']);
  expect(gateway.seen.changes).toHaveLength(1);
  expect(told(gateway.seen.told).map(([state]) => state)).toEqual(['applied', 'kept']);
  await gateway.stop();
  left = 0;
  writeFileSync(join(home.path, 'gateway.yaml'), first);
  const full = start(home.path, time, answering, disk);
  expect(full.home.config.connections[0]?.devices[1]?.params).toEqual({ unit: 2 });
  await full.stop();
});
