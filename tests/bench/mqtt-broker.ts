// One receiving side of the MQTT benchmark, a process of its own: `node --expose-gc mqtt-broker.ts <raw|driver|pipeline> <JSON of Load>`.
// Prints Open, on a line of standard input Rest, and Taken when everything has come.
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEnvelope } from '@parkline/contract';
import type { PointRef } from '@parkline/kit';
import { Aedes } from 'aedes';
import pino from 'pino';
import { systemClock, systemWait } from '../../edge/src/base/clock.ts';
import { createFaultLog } from '../../edge/src/base/fault-log.ts';
import type { GatewayConfig } from '../../edge/src/config/schema.ts';
import { createField } from '../../edge/src/field.ts';
import { createDeviceBoard } from '../../edge/src/health/devices.ts';
import { createGapLedger } from '../../edge/src/pipeline/gaps.ts';
import { openOutbox, type Outbox } from '../../edge/src/pipeline/outbox.ts';
import { createStamper } from '../../edge/src/pipeline/stamp.ts';
import { fieldOf, type Load, tokenOf, userOf } from './mqtt-devices.ts';

export type Receiver = 'raw' | 'driver' | 'pipeline';
export interface Open {
  readonly open: true;
}
/** Between the first words of the devices and the measuring. */
export interface Rest {
  /** What the connected devices and their points hold, bytes of heap. */
  readonly heapBytes: number;
}
export interface Taken {
  readonly seconds: number;
  readonly cpuUs: number;
}

const log = pino({ enabled: false });
const now = (): number => Date.now();
const uuid = (n: number): string => `018f0000-0000-7000-8000-${String(n).padStart(12, '0')}`;

const pointsOf = ({ points }: Load): PointRef[] =>
  Array.from({ length: points }, (_, p) => ({
    ...{ pointId: fieldOf(p), address: `state:/${fieldOf(p)}`, scale: 1, kind: 'gauge' },
  }));
/** As fast as they can: the brake for a device that tells too much is not what is measured. */
const paramsFor = ({ port }: Load) => ({ port, maxMessagesPerSecond: 100_000 });
const paramsOf = (device: number) => ({
  username: userOf(device),
  passwordSha256: createHash('sha256').update(tokenOf(device)).digest('hex'),
});

/** Opens a receiver that adds what it took to a counter. @returns how to close it. */
type Start = (load: Load, took: (points: number) => void) => Promise<() => Promise<void>>;

/** A broker without accounts, rules or anyone who reads the payloads. */
const raw: Start = async ({ port, points }, took) => {
  const broker = await Aedes.createBroker();
  broker.on('publish', (_packet, client) => {
    if (client) took(points);
  });
  const server = createServer(broker.handle).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return async () => {
    await new Promise<void>((resolve) => void broker.close(resolve));
    server.close();
  };
};

const driverAlone: Start = async (load, took) => {
  const { driver } = await import('@parkline/mqtt');
  const folder = mkdtempSync(join(tmpdir(), 'parkline-bench-'));
  const connection = driver.openConnection(paramsFor(load), { now, log, dataDir: folder });
  const stop = new AbortController();
  const running = Array.from({ length: load.devices }, (_, n) =>
    connection.device(paramsOf(n)).subscribe!(
      pointsOf(load),
      ({ quality }) => {
        if (quality === 'good') took(1);
      },
      stop.signal,
    ),
  );
  return async () => {
    stop.abort();
    await Promise.all(running);
    await connection.close();
    rmSync(folder, { recursive: true });
  };
};

/** The gateway's whole way from the devices to the disk; a sample counts when the commit that holds it returned. */
const pipeline: Start = async (load, took) => {
  const folder = mkdtempSync(join(tmpdir(), 'parkline-bench-'));
  const faults = createFaultLog(log, systemClock);
  const outbox = openOutbox({
    path: join(folder, 'outbox.sqlite'),
    maxBytes: 1e9,
    now,
    failpoint: () => undefined,
    onMovedAside: () => undefined,
  });
  const config = configOf(load);
  const { privateKey } = generateKeyPairSync('ed25519');
  const counted: Outbox = { ...outbox, append: (draft) => outbox.append(counting(draft, took)) };
  const field = await createField({
    ...{ config, faults, log, outbox: counted, dataDir: folder, clock: systemClock, wait: systemWait },
    gaps: createGapLedger({ outbox, now, faults, events: { add: () => undefined } }),
    board: createDeviceBoard({
      devices: config.connections.flatMap(({ devices }) => devices),
      ...{ now, faults, onChange: () => undefined },
    }),
    loadDriver: async () => (await import('@parkline/mqtt')).driver,
    sign: (bytes) => sign(null, bytes, privateKey),
    random: Math.random,
    ...{ onAppended: () => undefined, onReadings: () => undefined, onDeviceEvent: () => undefined },
    stamper: createStamper(systemClock),
    failpoint: () => undefined,
  });
  const stop = new AbortController();
  const running = field.run(stop.signal);
  return async () => {
    stop.abort();
    await running;
    outbox.close();
    rmSync(folder, { recursive: true });
  };
};

type Draft = Parameters<Outbox['append']>[0];

/** Sealing is the last step before the commit, and tells how many samples the message holds. */
function counting(draft: Draft, took: (points: number) => void): Draft {
  return {
    ...draft,
    seal(epoch, seq) {
      const bytes = draft.seal(epoch, seq);
      const decoded = decodeEnvelope(bytes);
      if (decoded.ok && draft.kind === 'samples') {
        const { count } = decoded.envelope.header;
        setImmediate(() => {
          took(count);
        });
      }
      return bytes;
    },
  };
}

const configOf = (load: Load): GatewayConfig => ({
  version: 1,
  gatewayId: uuid(0),
  name: 'bench',
  timezone: 'UTC',
  nats: { url: 'nats://127.0.0.1:9' },
  report: { every: true },
  outbox: { keepHours: 1, maxMegabytes: 1_000, thinToSeconds: 300 },
  rules: { alarms: [], schedules: [] },
  connections: [
    {
      ...{ id: 'bench', driver: 'mqtt', params: paramsFor(load) },
      devices: Array.from({ length: load.devices }, (_, n) => ({
        ...{ equipmentId: uuid(n), name: userOf(n), params: paramsOf(n) },
        points: pointsOf(load).map(({ address }, p) => ({
          ...{ id: uuid(1_000 * (n + 1) + p), address, scale: 1, kind: 'gauge', unit: '1', resolution: 1 },
          ...{ deadband: 0, heartbeatMs: 3_600_000, pollMs: 3_600_000 },
        })),
      })),
    },
  ],
});

const receivers: Readonly<Record<Receiver, Start>> = { raw, driver: driverAlone, pipeline };
const say = (what: Open | Rest | Taken): void => void process.stdout.write(`${JSON.stringify(what)}\n`);

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

if (import.meta.main) {
  const [side = 'raw', text = ''] = process.argv.slice(2);
  const load = JSON.parse(text) as Load;
  const expected = load.devices * load.messages * load.points;
  let count = 0;
  let target = Infinity;
  let whole = (): void => undefined;
  await import('@parkline/mqtt'); // Code is no part of what devices hold.
  const empty = heap();
  const close = await receivers[side as Receiver](load, (points) => {
    count += points;
    if (count >= target) whole();
  });
  say({ open: true });

  await once(process.stdin, 'data');
  say({ heapBytes: heap() - empty });
  const allTaken = new Promise<void>((resolve) => (whole = resolve));
  target = count + expected;
  const cpu = process.cpuUsage();
  const began = performance.now();
  await allTaken;
  const { user, system } = process.cpuUsage(cpu);
  say({ seconds: (performance.now() - began) / 1_000, cpuUs: user + system });
  await once(process.stdin, 'end');
  await close();
}
