import { join } from 'node:path';
import type { GatewayEvent } from '@parkline/contract';
import { type Disk, realDisk } from '../base/disk.ts';
import { createConfigLife } from '../config/life.ts';
import type { GatewayConfig } from '../config/schema.ts';
import { startHome } from '../config/start.ts';
import { openConfigStore } from '../config/store.ts';
import { createDeviceBoard } from '../health/devices.ts';
import { writeHealth } from '../health/file.ts';
import { OutboxError } from '../pipeline/outbox.ts';
import { makeHome } from './home.ts';
import { rememberingFaults } from './remembering-faults.ts';
import { createVirtualTime, type VirtualTime } from './virtual-time.ts';

export const gatewayId = '018f0000-0000-7000-8000-000000000001';
export const device = (n: number, unit: number) => `
      - equipmentId: 018f0000-0000-7000-8000-00000000001${n}
        name: Meter ${n}
        params: { unit: ${unit} }
        points: [{ id: 018f0000-0000-7000-8000-00000000002${n}, address: 'hr:0:u16', kind: gauge, unit: kW }]`;
export const yamlOf = (devices: string, nats = 4222): string => `
version: 1
gatewayId: ${gatewayId}
name: Gateway
nats: { url: 'nats://127.0.0.1:${nats}' }
connections:
  - id: bus
    driver: modbus
    devices: ${devices || '[]'}
`;
export const first = yamlOf(device(1, 1) + device(2, 2));
/** The second device has another number. */
export const second = yamlOf(device(1, 1) + device(2, 3));

/** A gateway in its home whose devices answer once a second while `answers` has their number. */
export function startLife(path: string, time: VirtualTime, answers: Set<string>, disk: Disk = realDisk) {
  const store = openConfigStore(path, disk);
  const now = (): number => time.clock.now();
  const home = startHome(path, { store, env: {}, now, onDiskFault: () => undefined });
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

/** A home with `first` in it; devices with these numbers answer. */
export function givenHome(path: string, ...answers: string[]) {
  makeHome(path, first);
  const time = createVirtualTime(1_000_000);
  return { time, answering: new Set(answers) };
}
