import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeEnvelope } from '@parkline/contract';
import type { DriverModule } from '@parkline/kit';
import pino from 'pino';
import { expect, test } from 'vitest';
import { createAgent } from '../agent.ts';
import { systemClock, systemWait } from '../base/clock.ts';
import { realDisk } from '../base/disk.ts';
import { makeHome } from '../testing/home.ts';
import { scratch } from '../testing/scratch.ts';
import { createLogRing } from '../identity/log-ring.ts';
import { startHome } from './start.ts';
import { openConfigStore } from './store.ts';

const device = (name: string, n: number, scale: number): string => `
      - equipmentId: 018f0000-0000-7000-8000-00000000001${n}
        name: ${name}
        params: { name: ${name} }
        points: [{ id: 018f0000-0000-7000-8000-00000000002${n}, address: x, kind: gauge, unit: kW, pollMs: 200, scale: ${scale} }]`;
const yamlOf = (...devices: string[]): string => `
version: 1
gatewayId: 018f0000-0000-7000-8000-000000000001
name: Alone
nats: { url: 'nats://127.0.0.1:9' }
connections:
  - id: bus
    driver: counting
    devices: ${devices.join('')}
`;

/** A protocol whose devices count their reads, and say when they come and go. */
function countingModule() {
  const events: string[] = [];
  const reads: { name: string; at: number }[] = [];
  const module: DriverModule = {
    protocol: 'counting',
    openConnection: () => ({
      device(params) {
        const { name } = params as { name: string };
        events.push(`open ${name}`);
        let count = 0;
        return {
          connect: () => Promise.resolve(),
          async *browse() {
            yield* [];
          },
          read(refs) {
            count += 1;
            const at = Date.now();
            reads.push({ name, at });
            return Promise.resolve(
              refs.map(({ pointId }) => ({
                pointId,
                at,
                beganAt: at,
                value: count,
                quality: 'good' as const,
              })),
            );
          },
          close: () => Promise.resolve(void events.push(`close ${name}`)),
        };
      },
      close: () => Promise.resolve(void events.push('close bus')),
    }),
  };
  return { module, events, reads };
}

/** Numbers of all messages in the outbox, and its epoch. */
function outboxOf(home: string): { epochs: string[]; seqs: number[] } {
  const db = new DatabaseSync(join(home, 'outbox.sqlite'), { readOnly: true });
  try {
    const rows = db.prepare('SELECT seq, envelope FROM message ORDER BY seq').all();
    const epochs = rows.map(({ envelope }) => {
      const decoded = decodeEnvelope(envelope as Uint8Array);
      if (!decoded.ok) throw new Error('no envelope');
      return decoded.envelope.header.epoch;
    });
    return { epochs: [...new Set(epochs)], seqs: rows.map(({ seq }) => Number(seq)) };
  } finally {
    db.close();
  }
}

test('what did not change misses no beat, and the outbox goes on as it was', async () => {
  using home = scratch();
  makeHome(home.path, yamlOf(device('stays', 1, 1), device('changes', 2, 1), device('goes', 3, 1)));
  const { module, events, reads } = countingModule();
  const store = openConfigStore(home.path, realDisk);
  const agent = await createAgent({
    logs: createLogRing(),
    home: startHome(home.path, { store, env: {}, now: systemClock.now, onDiskFault: () => undefined }),
    ...{ configStore: store, version: 'test', loadDriver: () => Promise.resolve(module) },
    ...{ clock: systemClock, wait: systemWait, random: Math.random, log: pino({ enabled: false }) },
    failpoint: () => undefined,
  });
  const stop = new AbortController();
  const running = agent.run(stop.signal);
  const until = async (isDone: () => boolean): Promise<void> => {
    for (let i = 0; i < 1_000 && !isDone(); i += 1) await sleep(20);
    expect(isDone()).toBe(true);
  };
  await until(() => new Set(reads.map(({ name }) => name)).size === 3);
  await until(() => outboxOf(home.path).seqs.length > 1);
  const before = outboxOf(home.path);

  writeFileSync(
    join(home.path, 'config/inbox.yaml'),
    yamlOf(device('stays', 1, 1), device('changes', 2, 2), device('comes', 4, 1)),
  );
  await until(() => reads.some(({ name }) => name === 'comes'));
  const changedAt = reads.find(({ name }) => name === 'comes')!.at;
  await until(() => reads.filter(({ name, at }) => name === 'stays' && at > changedAt).length > 5);
  await until(() => store.state().history.at(-1)?.state === 'kept');
  stop.abort();
  expect(await running).toBe('stopped');

  const beats = events.slice(0, -4);
  expect(beats.filter((event) => event.endsWith('stays'))).toEqual(['open stays']);
  expect(beats.filter((event) => event.endsWith('changes'))).toEqual([
    ...['open changes', 'close changes', 'open changes'],
  ]);
  expect(beats).toContain('close goes');
  expect(beats).not.toContain('close bus');
  const after = outboxOf(home.path);
  expect(after.epochs).toEqual(before.epochs);
  expect(after.seqs).toEqual(after.seqs.map((_, n) => n + 1));
  expect(after.seqs.slice(0, before.seqs.length)).toEqual(before.seqs);
}, 60_000);
