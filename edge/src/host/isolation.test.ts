import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { decodeEnvelope, type SampleBatch } from '@parkline/contract';
import pino from 'pino';
import { expect, test } from 'vitest';
import { createAgent } from '../agent.ts';
import { systemClock, systemWait } from '../base/clock.ts';
import { realDisk } from '../base/disk.ts';
import { loadHome } from '../config/load.ts';
import { openConfigStore } from '../config/store.ts';
import { makeHome } from '../testing/home.ts';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { scratch } from '../testing/scratch.ts';
import { createLogRing } from '../identity/log-ring.ts';
import { createHosts } from './hosts.ts';

const PERIOD_MS = 1_000;
const id = (n: number): string => `018f0000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const bus = (driver: string, address: string, n: number): string => `
  - id: ${driver}
    driver: ${driver}
    devices:
      - equipmentId: ${id(n)}
        name: ${driver}
        points: [{ id: ${id(n + 1)}, address: ${address}, kind: gauge, unit: kW, pollMs: ${PERIOD_MS} }]`;
const yaml = (vice: string): string => `
version: 1
gatewayId: ${id(1)}
name: Two drivers
nats: { url: 'nats://127.0.0.1:9' }
report: { every: true }
connections:${bus('steady', 'count', 10)}${bus('misbehaving', vice, 20)}
`;

/** Times (Unix ms) and values on disk of the point with this index. */
function onDisk(home: string, point: number): { at: number; value: number | null }[] {
  const db = new DatabaseSync(join(home, 'outbox.sqlite'), { readOnly: true });
  try {
    return db
      .prepare("SELECT envelope FROM message WHERE kind = 'samples' ORDER BY seq")
      .all()
      .flatMap(({ envelope }) => {
        const decoded = decodeEnvelope(envelope as Uint8Array);
        if (!decoded.ok) throw new Error(decoded.why);
        const batch = JSON.parse(
          zstdDecompressSync(decoded.envelope.payload).toString('utf8'),
        ) as SampleBatch;
        return batch.p.map((p, i) => ({ p, at: batch.t0 + batch.dt[i]!, value: batch.v[i]! }));
      })
      .filter(({ p }) => p === point);
  } finally {
    db.close();
  }
}

test.concurrent.each([
  ['block', 'hung: its event loop stood still'],
  ['throw', 'crashed: nobody catches this'],
])(
  'a driver that does "%s" at every read delays the other by less than a period, and loses nothing of it',
  async (vice, why) => {
    using home = scratch();
    makeHome(home.path, yaml(vice));
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const common = { clock: systemClock, wait: systemWait, random: Math.random, log };
    const module = (name: string): string => new URL(`../testing/${name}.ts`, import.meta.url).href;
    const hosts = createHosts(new Map(['steady', 'misbehaving'].map((name) => [name, module(name)])), {
      ...common,
      faults: rememberingFaults(),
      hangMs: 1_000,
    });
    const agent = await createAgent({
      logs: createLogRing(),
      ...common,
      ...{
        home: loadHome(home.path, {}),
        configStore: openConfigStore(home.path, realDisk),
        version: 'test',
        loadDriver: hosts.load,
        failpoint: () => undefined,
      },
    });
    const stop = new AbortController();
    const running = agent.run(stop.signal);
    await sleep(5 * PERIOD_MS);
    stop.abort();
    await running;
    await hosts.close();

    const steady = onDisk(home.path, 0);
    // The driver counts its reads: none is missing, whatever its neighbour did.
    expect(steady.map(({ value }) => value)).toEqual(steady.map((_, n) => n + 1));
    expect(steady.length).toBeGreaterThanOrEqual(4);
    const gaps = steady.slice(1).map(({ at }, n) => at - steady[n]!.at);
    expect(Math.max(...gaps)).toBeLessThan(2 * PERIOD_MS);
    const told = lines.map((line) => JSON.parse(line) as { device?: string; err?: { message: string } });
    const ofOther = told.filter(({ device }) => device === 'misbehaving').map(({ err }) => err?.message);
    expect(ofOther).toContainEqual(expect.stringContaining(`the misbehaving driver ${why}`));
    expect(onDisk(home.path, 1).some(({ value }) => value === null)).toBe(true);
  },
  60_000,
);
