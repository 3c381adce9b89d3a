import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBatcher } from '../../edge/src/pipeline/batch.ts';
import { encodeTable, type StampedSample } from '../../edge/src/pipeline/codec.ts';
import { openOutbox, type Outbox } from '../../edge/src/pipeline/outbox.ts';

export const SAMPLES = 1_000;
const POINTS = 250;
export const gatewayId = '018f0000-0000-7000-8000-000000000000';
export const pointId = (n: number): string => `018f0000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/**
 * A thousand readings as a building sends them: 250 points read four times, each a few ms apart, gauges with two decimals that
 * wander and every fifth a register that counts up. Differs from call to call by `seed`.
 */
export function readings(seed: number): StampedSample[] {
  let state = seed + 1;
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const last = Array.from({ length: POINTS }, () => Math.round(random() * 40_000));
  return Array.from({ length: SAMPLES }, (_, i) => {
    const point = i % POINTS;
    last[point] = last[point]! + Math.round((random() - 0.5) * 100);
    const isRegister = point % 5 === 0;
    const at = 1_795_000_000_000 + Math.floor(i / POINTS) * 5_000 + point + Math.floor(random() * 3);
    const value = isRegister ? 12_345_678 + last[point] : last[point] / 100;
    return { ...{ point, at, value }, quality: 'good', boundary: false, suspect: false };
  });
}

/** An outbox in a folder of its own, as a gateway has it. */
export function benchOutbox(): { outbox: Outbox; folder: string; [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), 'parkline-bench-'));
  const outbox = openOutbox({
    ...{ path: join(folder, 'outbox.sqlite'), maxBytes: 8e9, now: () => Date.now() },
    failpoint: () => undefined,
    onMovedAside: () => undefined,
  });
  return {
    ...{ outbox, folder },
    [Symbol.dispose]() {
      outbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The gateway's own batcher in front of an outbox. */
export function benchBatcher(outbox: Outbox, key: KeyObject = generateKeyPairSync('ed25519').privateKey) {
  const points = Array.from({ length: POINTS }, (_, n) => ({
    id: pointId(n),
    unit: n % 5 === 0 ? ('kWh' as const) : ('kW' as const),
    kind: n % 5 === 0 ? ('register' as const) : ('gauge' as const),
    resolution: n % 5 === 0 ? 0.01 : 1,
  }));
  return createBatcher({
    ...{ gatewayId, outbox, table: encodeTable(points), now: () => Date.now(), thinToMs: 60_000 },
    kindOf: (point) => points[point]?.kind,
    sign: (bytes) => sign(null, bytes, key),
    gaps: { accepted: () => undefined, refuse: () => undefined, refused: () => 0 },
    onAppended: () => undefined,
    onRefused: () => {
      throw new Error('the disk is full');
    },
  });
}
