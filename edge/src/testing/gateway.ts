import { createPublicKey, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createUser } from '@nats-io/nkeys';
import type { WriteLimits } from '@parkline/contract';
import type { Driver, DriverModule, Sample } from '@parkline/kit';
import pino from 'pino';
import { createAgent } from '../agent.ts';
import { systemClock, systemWait } from '../base/clock.ts';
import { realDisk } from '../base/disk.ts';
import { createLogRing } from '../identity/log-ring.ts';
import { parseConfig } from '../config/load.ts';
import { openConfigStore } from '../config/store.ts';
import { tlsFilesOf } from '../nats-access.ts';
import { newKeys } from './cloud.ts';

/** A gateway's identity before it runs: what a NATS server and a cloud must know of it. */
export interface TestIdentity {
  readonly gatewayId: string;
  readonly natsKey: string;
  readonly natsSeed: Uint8Array;
  readonly signing: KeyObject;
  readonly publicKey: KeyObject;
}

export function newIdentity(): TestIdentity {
  const user = createUser();
  const { privateKey } = newKeys();
  return {
    gatewayId: '018f0000-0000-7000-8000-000000000001',
    natsKey: user.getPublicKey(),
    natsSeed: user.getSeed(),
    signing: privateKey,
    publicKey: createPublicKey(privateKey),
  };
}

export const equipmentId = '018f0000-0000-7000-8000-000000000002';
export const pointId = '018f0000-0000-7000-8000-000000000003';

/** A protocol whose one device counts up with every read. */
export const countingDriver = (): DriverModule & { reads: number } => {
  const module = {
    protocol: 'counting',
    reads: 0,
    openConnection: () => ({
      device: () => ({
        connect: () => Promise.resolve(),
        async *browse() {
          yield* [];
        },
        read: (refs: readonly { pointId: string }[]) => {
          module.reads += 1;
          const at = Date.now();
          return Promise.resolve(
            refs.map((ref) => ({
              ...{ pointId: ref.pointId, at, beganAt: at, value: module.reads, quality: 'good' as const },
            })),
          );
        },
        close: () => Promise.resolve(),
      }),
      close: () => Promise.resolve(),
    }),
  };
  return module;
};

export interface PushingModule extends DriverModule {
  /** What happened to the device, in order: 'subscribed', 'ended', 'closed'. */
  readonly events: readonly string[];
  /** The device tells this value now; it says the same when it is read. */
  push(value: number): void;
  /** Its subscription breaks. */
  breakOff(error: Error): void;
}

/** A protocol whose one device pushes what a test tells it to. */
export const pushingDriver = (): PushingModule => {
  const events: string[] = [];
  let value = 0;
  let tell: (() => void) | undefined;
  let fail: ((error: Error) => void) | undefined;
  const sampleOf = (pointId: string): Sample => {
    const at = Date.now();
    return { pointId, at, beganAt: at, value, quality: 'good' };
  };
  const device: Driver = {
    connect: () => Promise.resolve(),
    async *browse() {
      yield* [];
    },
    read: (refs) => Promise.resolve(refs.map((ref) => sampleOf(ref.pointId))),
    async subscribe(refs, onSample, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      events.push('subscribed');
      tell = () => {
        for (const ref of refs) onSample(sampleOf(ref.pointId));
      };
      fail = reject;
      signal.addEventListener('abort', () => {
        resolve(undefined);
      });
      await promise;
      events.push('ended');
    },
    close: () => Promise.resolve(void events.push('closed')),
  };
  return {
    protocol: 'pushing',
    events,
    push(next) {
      value = next;
      tell?.();
    },
    breakOff(error) {
      tell = undefined;
      fail?.(error);
    },
    openConnection: () => ({ device: () => device, close: () => Promise.resolve() }),
  };
};

export interface RunningGateway {
  /** Lets this much time pass for every patience of the gateway; the beat of its devices notices too. */
  skip(ms: number): void;
  stop(): Promise<void>;
}

/** Runs a whole gateway in this process: one device, read ten times a second unless told otherwise, nothing kept after its receipt. */
export async function runGateway(
  folder: string,
  options: {
    readonly identity: TestIdentity;
    readonly natsUrl: string;
    /** What the authority of the server says of the gateway. */
    readonly natsJwt?: string | undefined;
    readonly cloudKey: KeyObject;
    readonly driver: DriverModule;
    /** Time between reads; 100 when absent. */
    readonly pollMs?: number;
    /** How far the point may be written; read only when absent. */
    readonly write?: Partial<WriteLimits>;
  },
): Promise<RunningGateway> {
  const { identity, natsUrl, natsJwt, cloudKey, driver, pollMs = 100, write } = options;
  let skipped = 0;
  const configStore = openConfigStore(folder, realDisk);
  const yaml = configYaml(identity.gatewayId, natsUrl, pollMs, write);
  writeFileSync(join(folder, 'gateway.yaml'), yaml);
  configStore.adopt(yaml, systemClock.now());
  const agent = await createAgent({
    home: {
      path: folder,
      config: parseConfig(yaml),
      keys: {
        signing: identity.signing,
        cloud: cloudKey,
        nats: () => ({ seed: identity.natsSeed, ...(natsJwt !== undefined && { jwt: natsJwt }) }),
      },
      natsTls: tlsFilesOf(folder),
      outboxPath: join(folder, 'outbox.sqlite'),
      driverDir: join(folder, 'drivers'),
      healthPath: join(folder, 'health.json'),
      rulesPath: join(folder, 'rules.sqlite'),
      commandsPath: join(folder, 'commands.sqlite'),
      writingOffPath: join(folder, 'writing.off'),
      releaseKeyPath: join(folder, 'release.pub.pem'),
    },
    configStore,
    logs: createLogRing(),
    version: '0.0.0',
    loadDriver: () => Promise.resolve(driver),
    clock: { now: systemClock.now, monotonic: () => systemClock.monotonic() + skipped },
    // Loops turn five times a second at least, so that a test need not wait for a minute's housekeeping.
    wait: (ms, signal) => systemWait(Math.min(ms, 200), signal),
    random: Math.random,
    log: pino({ enabled: false }),
    failpoint: () => undefined,
  });
  const stop = new AbortController();
  const running = agent.run(stop.signal);
  return {
    skip(ms) {
      skipped += ms;
    },
    async stop() {
      stop.abort();
      await running;
    },
  };
}

const configYaml = (
  gatewayId: string,
  natsUrl: string,
  pollMs: number,
  write: Partial<WriteLimits> | undefined,
): string => `
version: 1
gatewayId: ${gatewayId}
name: Gateway under test
nats: { url: '${natsUrl}' }
outbox: { keepHours: 0 }
connections:
  - id: bus
    driver: counting
    devices:
      - equipmentId: ${equipmentId}
        name: Counter
        points:
          - id: ${pointId}
            address: x
            kind: gauge
            unit: kW
            pollMs: ${pollMs}
            heartbeatMs: ${10 * pollMs + 60_000}
${write ? `            write: ${JSON.stringify(write)}` : ''}
`;
