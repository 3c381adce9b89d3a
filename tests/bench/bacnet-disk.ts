import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sample } from '@parkline/kit';
import pino from 'pino';
import { systemClock } from '../../edge/src/base/clock.ts';
import { createFaultLog } from '../../edge/src/base/fault-log.ts';
import { createBatcher } from '../../edge/src/pipeline/batch.ts';
import { encodeTable, type StampedSample } from '../../edge/src/pipeline/codec.ts';
import { createGapLedger } from '../../edge/src/pipeline/gaps.ts';
import { createIntake } from '../../edge/src/pipeline/intake.ts';
import { openOutbox } from '../../edge/src/pipeline/outbox.ts';
import { createStamper } from '../../edge/src/pipeline/stamp.ts';

/** The gateway's way from a reading to a message on disk. */
export interface DiskLine {
  /** @param device From 0; the samples are those of its points in order. */
  accept(device: number, samples: readonly Sample[]): void;
  flush(): void;
  /** Samples handed to the disk so far. */
  taken(): number;
  close(): void;
}

const now = (): number => Date.now();
const idOf = (device: number, point: number): string =>
  `018f0000-0000-7000-8000-${String(device * 1_000 + point).padStart(12, '0')}`;

export function createDiskLine(devices: number, points: number): DiskLine {
  const folder = mkdtempSync(join(tmpdir(), 'parkline-bench-'));
  const outbox = openOutbox({
    path: join(folder, 'outbox.sqlite'),
    maxBytes: 1e9,
    now,
    failpoint: () => undefined,
    onMovedAside: () => undefined,
  });
  const ids = Array.from({ length: devices * points }, (_, n) => idOf(Math.floor(n / points), n % points));
  const { privateKey } = generateKeyPairSync('ed25519');
  let taken = 0;
  const batcher = createBatcher({
    gatewayId: idOf(0, 0),
    outbox,
    table: encodeTable(ids.map((id) => ({ id, unit: '1', kind: 'gauge', resolution: 1 }))),
    kindOf: () => 'gauge',
    thinToMs: 60_000,
    sign: (bytes) => sign(null, bytes, privateKey),
    now,
    gaps: createGapLedger({
      ...{ outbox, now, events: { add: () => undefined } },
      faults: createFaultLog(pino({ enabled: false }), systemClock),
    }),
    onAppended: () => undefined,
    onRefused: () => {
      throw new Error('the disk is full');
    },
  });
  const intake = createIntake({
    points: ids.map((pointId) => ({
      pointId,
      rule: { kind: 'gauge', deadband: 0, heartbeatMs: 60_000, pollMs: 1_000, every: true },
    })),
    stamper: createStamper(systemClock),
    add(sample: StampedSample) {
      taken += 1;
      batcher.add(sample);
    },
    now,
  });
  return {
    accept(device, samples) {
      intake.accept(samples.map((sample, point) => ({ ...sample, pointId: idOf(device, point) })));
    },
    flush: () => batcher.flush(),
    taken: () => taken,
    close() {
      outbox.close();
      rmSync(folder, { recursive: true });
    },
  };
}
