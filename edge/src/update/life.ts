import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import { type ReleaseManifest, type SignedText, type UpdateOffer } from '@parkline/contract';
import type { Clock, Wait } from '../base/clock.ts';
import { isDiskFault } from '../base/disk.ts';
import type { FaultLog } from '../base/fault-log.ts';
import type { DeviceBoard } from '../health/devices.ts';
import type { EventLane } from '../pipeline/events.ts';
import { OutboxError } from '../pipeline/outbox.ts';
import { download } from './download.ts';
import { writeSynced } from './files.ts';
import { releaseFault } from './judge.ts';
import { isWhole, unpackRelease } from './pack.ts';
import { readManifest, readPublicKeys, releaseId } from './release-file.ts';
import { linkSource, webSource } from './source.ts';
import { MANIFEST_FILE, type Slots, updateEvent } from './slots.ts';

/** A release on trial must be healthy within this time of one run, ms. */
export const TRIAL_MS = 120_000;
/** It is not called healthy sooner after a start, ms: a process that dies of it dies before. */
const LEAST_MS = 5_000;
const TURN_MS = 1_000;
/** What must stay free on the disk beside a release: readings come first. Bytes. */
const RESERVE_BYTES = 128 * 1024 * 1024;

export interface UpdateLifeDeps {
  /** Undefined where no launcher started this process: then nothing can be replaced. */
  readonly slots: Slots | undefined;
  /** File with the public keys (PEM) of those who make releases. */
  readonly keyPath: string;
  readonly board: Pick<DeviceBoard, 'list' | 'silence'>;
  readonly isCloudConnected: () => boolean;
  /** Asks the cloud for a chunk. */
  readonly ask: (query: Uint8Array, timeoutMs: number) => Promise<Uint8Array>;
  readonly get: typeof fetch;
  /** Ends the process in order, so that the launcher starts what the state names. */
  readonly replace: () => void;
  readonly events: EventLane;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly faults: FaultLog;
  readonly platform: string;
  readonly node: string;
  /** Bytes free on the disk of a folder. */
  readonly freeBytes?: (folder: string) => number;
  /** Called at every step, for tests that kill. */
  readonly passed?: (step: string) => void;
}

/** Replaces the program of the gateway by what the cloud offers and the release key signed, and watches over the new one. */
export interface UpdateLife {
  /** Takes an offer that the cloud signed for this gateway; of several the newest. */
  offer(offer: UpdateOffer): void;
  /** Fetches what is offered and judges what is on trial, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function createUpdateLife(deps: UpdateLifeDeps): UpdateLife {
  const { slots, clock, wait, faults } = deps;
  let offered: UpdateOffer | undefined;
  let fetching: { offer: UpdateOffer; readonly stop: AbortController } | undefined;
  const since = clock.monotonic();
  const told = new Set<string>();

  const newest = (): number =>
    Math.max(offered?.at ?? 0, fetching?.offer.at ?? 0, slots?.state().offerAt ?? 0);

  /** What keeps the release on trial from being healthy, for a person; undefined: nothing. */
  function missing({ required, needsCloud }: { required: readonly string[]; needsCloud: boolean }) {
    const silence = deps.board.silence(required);
    if (silence !== undefined) return silence;
    if (needsCloud && !deps.isCloudConnected()) return 'the cloud was reached before and is not';
    // The word that it is on trial must have gone into the outbox: so that is known to work, too.
    const isTold = (slots?.state().untold.length ?? 0) === 0;
    return isTold ? undefined : 'the outbox takes nothing';
  }

  function judge(trial: { required: readonly string[]; needsCloud: boolean }): void {
    const ranMs = clock.monotonic() - since;
    const why = missing(trial);
    if (why === undefined && ranMs >= LEAST_MS) slots?.keep(clock.now());
    else if (why !== undefined && ranMs >= TRIAL_MS) {
      slots?.rollBack(why, clock.now());
      faults.fault('update', 'release rolled back', { why });
      deps.replace();
    }
  }

  function turn(): void {
    const trial = slots?.state().trial;
    if (trial) return judge(trial);
    const offer = offered;
    if (!offer || fetching) return;
    offered = undefined;
    if (offer.release === null) return void slots?.settle(offer.at);
    const stop = new AbortController();
    fetching = { offer, stop };
    const latest = (): UpdateOffer => fetching?.offer ?? offer;
    void take(deps, offer.release, latest, stop.signal)
      .catch((err: unknown) => {
        faults.fault('update', 'release cannot be taken now', { err });
        // The disk may have room again: the cloud offers it again.
      })
      .finally(() => {
        fetching = undefined;
      });
  }

  return {
    offer(offer) {
      if (offer.at <= newest()) return;
      if (fetching && isSame(fetching.offer, offer)) {
        fetching.offer = offer; // Offered again meanwhile: what is under way goes on.
        return;
      }
      offered = offer;
      fetching?.stop.abort();
    },
    async run(signal) {
      const end = (): void => fetching?.stop.abort();
      signal.addEventListener('abort', end, { once: true });
      while (!signal.aborted) {
        try {
          tell(deps, told);
          turn();
          faults.over('update-disk', 'updates can be written down again');
        } catch (err) {
          if (!isDiskFault(err)) throw err;
          faults.fault('update-disk', 'what becomes of a release cannot be written down now', { err });
        }
        await wait(TURN_MS, signal);
      }
      end();
    },
  };
}

const isSame = (a: UpdateOffer, b: UpdateOffer): boolean =>
  a.url === b.url && a.release?.body === b.release?.body && a.release?.sig === b.release?.sig;

/** From an offer to a slot that is ready. Every refusal is told to the cloud. */
async function take(
  deps: UpdateLifeDeps,
  signed: SignedText,
  /** The newest offer of the same release. */
  latest: () => UpdateOffer,
  signal: AbortSignal,
): Promise<void> {
  const { slots, clock, wait, faults } = deps;
  const about = { release: releaseId(signed), version: '' };
  const refuse = (why: string, state: 'refused' | 'failed' = 'refused'): void => {
    faults.fault('update', 'release not taken', { why });
    const event = updateEvent(about, state, clock.now(), why);
    if (slots) slots.settle(latest().at, event);
    else deps.events.add(event);
  };
  const checked = readManifest(signed, releaseKeys(deps.keyPath));
  if (!checked.ok)
    return refuse(
      checked.why === 'signature'
        ? 'no release key of this gateway signed it (keys/release.pub.pem)'
        : 'its manifest cannot be read by this version',
    );
  const { manifest } = checked;
  about.version = manifest.version;
  if (!slots) return refuse('this gateway was not started by the launcher and cannot replace itself');
  const state = slots.state();
  const { platform, node } = deps;
  if (runsAlready(slots, about.release))
    return slots.settle(latest().at, updateEvent(about, 'kept', clock.now()));
  const fault = releaseFault(manifest, { platform, node, version: state.version, highest: state.highest });
  if (fault !== undefined) return refuse(fault);
  const noRoom = roomFault(deps, slots.folder, manifest);
  if (noRoom !== undefined) return refuse(noRoom, 'failed');

  const packPath = join(slots.folder, 'download', `${manifest.pack.sha256}.part`);
  clean(slots.folder, packPath);
  const { url } = latest();
  const source = url ? webSource(deps.get, url, signed, manifest) : linkSource(deps.ask, manifest);
  try {
    const onChunk = (): void => deps.passed?.('after-chunk');
    const fetched = await download({ path: packPath, pack: manifest.pack, source, wait, onChunk }, signal);
    if (!fetched.ok) {
      if (fetched.why !== 'stopped') refuse(fetched.why, 'failed');
      return;
    }
    if (signal.aborted) return;
    install(deps, slots, { signed, manifest, packPath, offerAt: latest().at });
  } catch (error) {
    if (!isDiskFault(error)) throw error;
    // Room for readings first: what was fetched goes.
    rmSync(join(slots.folder, 'download'), { recursive: true, force: true });
    rmSync(join(slots.folder, 'next'), { recursive: true, force: true });
    refuse(`the disk: ${(error as Error).message}`, 'failed');
  }
}

/** Unpacks, proves that all of it is on the disk, and makes it current. */
function install(
  deps: UpdateLifeDeps,
  slots: Slots,
  {
    signed,
    manifest,
    packPath,
    offerAt,
  }: { signed: SignedText; manifest: ReleaseManifest; packPath: string; offerAt: number },
): void {
  const next = join(slots.folder, 'next');
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next, { mode: 0o755 });
  unpackRelease(readFileSync(packPath), manifest, next, () => deps.passed?.('after-file'));
  writeSynced(join(next, MANIFEST_FILE), JSON.stringify(signed));
  if (!isWhole(next, manifest)) throw new Error('what was unpacked is not whole');
  const slot = slots.fill(next);
  const required = deps.board
    .list()
    .flatMap(({ state, equipmentId }) => (state === 'online' ? equipmentId : []));
  slots.begin(
    slot,
    {
      ...{ release: releaseId(signed), version: manifest.version, required },
      needsCloud: deps.isCloudConnected(),
      offerAt,
    },
    deps.clock.now(),
  );
  rmSync(join(slots.folder, 'download'), { recursive: true, force: true });
  deps.replace();
}

/** The cloud may not have heard yet. */
function runsAlready(slots: Slots, release: string): boolean {
  try {
    const path = join(slots.pathOf(slots.state().current), MANIFEST_FILE);
    return releaseId(JSON.parse(readFileSync(path, 'utf8')) as SignedText) === release;
  } catch {
    return false; // The program that came before the first release.
  }
}

/** Keeps only what belongs to this release. */
function clean(folder: string, packPath: string): void {
  const downloads = join(folder, 'download');
  if (!existsSync(packPath)) rmSync(downloads, { recursive: true, force: true });
  mkdirSync(downloads, { recursive: true, mode: 0o700 });
}

function roomFault(
  { freeBytes = freeOn }: UpdateLifeDeps,
  folder: string,
  { files, pack }: ReleaseManifest,
): string | undefined {
  const needed = pack.bytes + files.reduce((sum, { bytes }) => sum + bytes, 0) + RESERVE_BYTES;
  const free = freeBytes(folder);
  const mb = (bytes: number): number => Math.round(bytes / 1024 / 1024);
  return free < needed ? `the disk has ${mb(free)} MB free, ${mb(needed)} MB are needed` : undefined;
}

const freeOn = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};

/** No file, or one that cannot be read: nobody's releases are believed. */
function releaseKeys(path: string): KeyObject[] {
  try {
    return readPublicKeys(readFileSync(path, 'utf8'));
  } catch {
    return [];
  }
}

/** What happened waits in the state until the outbox has it. `told` remembers what it has while the state cannot. */
function tell({ slots, events, faults }: UpdateLifeDeps, told: Set<string>): void {
  const untold = slots?.state().untold ?? [];
  if (untold.length === 0) return;
  try {
    for (const event of untold) {
      if (told.has(event.id)) continue;
      events.add(event);
      told.add(event.id);
    }
  } catch (err) {
    if (!(err instanceof OutboxError) || err.code !== 'disk') throw err;
    faults.fault('update-event', 'what became of a release cannot be written down now', { err });
  }
  if (told.size === 0) return;
  slots?.told(told);
  told.clear();
}
