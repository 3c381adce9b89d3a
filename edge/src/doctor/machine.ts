import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayHealth } from '@parkline/contract';
import type { OutboxState } from '../pipeline/outbox.ts';
import { fail, type Finding, ok, skipped, warn } from './check.ts';

/** 2025-01-01 and 2100-01-01: a clock outside of them was lost. */
const EARLIEST = 1_735_689_600_000;
const LATEST = 4_102_444_800_000;
const MIB = 1024 * 1024;
/** A commit that takes longer holds up polling, ms. */
const SLOW_SYNC_MS = 200;
/** From this share of the outbox on gauges are thinned. */
const FILLING = 0.8;

/**
 * Whether the clock can be right, by itself: nothing on this machine may be younger than now. `newestAt`: newest reading on its
 * disk, Unix ms. Pure.
 */
export function checkClock(
  now: number,
  newestAt: number | null,
  isSynchronized: boolean | undefined,
): Finding {
  const shown = new Date(now).toISOString();
  const todo = 'set it, and let it follow a time server (timedatectl set-ntp true)';
  if (now < EARLIEST || now >= LATEST) return fail('clock', `shows ${shown}`, todo);
  if (newestAt !== null && newestAt - now > 2_000) {
    const newest = new Date(newestAt).toISOString();
    return fail('clock', `shows ${shown}, and readings on its own disk are younger: ${newest}`, todo);
  }
  if (isSynchronized === false) return warn('clock', `${shown}, follows no time server`, todo);
  return ok('clock', isSynchronized ? `${shown}, follows a time server` : shown);
}

/** Whether systemd's own time service follows a server; undefined where it is not used. */
export function isClockSynchronized(): boolean | undefined {
  if (!existsSync('/run/systemd/timesync')) return undefined;
  return existsSync('/run/systemd/timesync/synchronized');
}

/** Room beside the outbox, and whether a file is really on the disk in good time. */
export function checkDisk(folder: string, maxOutboxBytes: number, now: () => number): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const room = `${Math.round(free / MIB)} MiB free`;
  let tookMs: number;
  try {
    tookMs = syncOnce(folder, now);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail(
      'disk',
      `${folder} cannot be written: ${why}`,
      'give the user of the gateway this folder, and room',
    );
  }
  if (free < 16 * MIB) return fail('disk', room, 'free some, or give the gateway a larger disk');
  if (free < maxOutboxBytes)
    return warn(
      'disk',
      `${room}, the outbox may grow to ${Math.round(maxOutboxBytes / MIB)} MiB`,
      'free some',
    );
  if (tookMs > SLOW_SYNC_MS)
    return warn(
      'disk',
      `${room}; a write takes ${Math.round(tookMs)} ms`,
      'use an SSD or an industrial eMMC',
    );
  return ok('disk', `${room}, a write takes ${tookMs.toFixed(1)} ms`);
}

function syncOnce(folder: string, now: () => number): number {
  const path = join(folder, `.doctor-${process.pid}`);
  const file = openSync(path, 'w', 0o600);
  try {
    const began = now();
    writeSync(file, Buffer.alloc(4_096));
    fsyncSync(file);
    return now() - began;
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}

/** Whether the gateway itself runs, by what it says of itself (undefined: nothing lately). Pure. */
export function checkGateway(health: GatewayHealth | undefined): Finding {
  if (!health) return skipped('gateway', 'does not run here');
  const { version, startedAt, writing } = health;
  const found = `runs since ${new Date(startedAt).toISOString()}, version ${version}`;
  if (writing !== 'off') return ok('gateway', found);
  return warn(
    'gateway',
    `${found}; remote writing is off`,
    'parkline writing on, when nobody works at the machines',
  );
}

/** How much waits, and how long there is room. Pure. */
export function checkOutbox(state: OutboxState): Finding {
  const { pending, waitingBytes, maxBytes, bytesPerHour } = state;
  const share = waitingBytes / maxBytes;
  const hours = bytesPerHour
    ? `, room for another ${Math.round((maxBytes - waitingBytes) / bytesPerHour)} h`
    : '';
  const found = `${pending} messages wait, ${Math.round(share * 100)} % of its room${hours}`;
  if (share < FILLING) return ok('outbox', found);
  return warn(
    'outbox',
    `${found}: gauges are thinned`,
    'bring the connection to the cloud back, or raise outbox.maxMegabytes',
  );
}
