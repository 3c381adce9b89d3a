import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { RELEASE_CHUNK_BYTES, type ReleaseManifest } from '@parkline/contract';
import type { Wait } from '../base/clock.ts';
import { sha256 } from './release-file.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** Wrong bytes from the same place so many times in a row are no accident. */
const MOST_WRONG = 5;

/** Gets one chunk. Rejects when there is no way to it now. */
export type ChunkSource = (chunk: number, signal: AbortSignal) => Promise<Uint8Array>;

export interface DownloadDeps {
  /** The file that grows; what lies there from before is used as far as it is right. */
  readonly path: string;
  readonly pack: ReleaseManifest['pack'];
  readonly source: ChunkSource;
  readonly wait: Wait;
  /** Called when a chunk is on the disk. */
  readonly onChunk?: (done: number, of: number) => void;
}

export type Downloaded = { ok: true } | { ok: false; why: string };

/**
 * Fetches a pack to the disk, chunk by chunk, each checked before it is written and fsynced after. No link is no failure: it goes
 * on when there is one, also after a restart. Ends early when `signal` aborts (why: 'stopped').
 * @throws Error of the file system.
 */
export async function download(deps: DownloadDeps, signal: AbortSignal): Promise<Downloaded> {
  const { pack, onChunk } = deps;
  const file = openSync(deps.path, 'a+', 0o600);
  closeSync(file);
  const part = openSync(deps.path, 'r+');
  try {
    let done = wholeChunks(part, pack);
    // What is behind the last right chunk was written half.
    ftruncateSync(part, Math.min(done * RELEASE_CHUNK_BYTES, pack.bytes));
    for (; done < pack.chunks.length; done += 1) {
      const fetched = await fetchChunk(deps, done, signal);
      if (!fetched.ok) return fetched;
      writeSync(part, fetched.bytes, 0, fetched.bytes.length, done * RELEASE_CHUNK_BYTES);
      fsyncSync(part);
      onChunk?.(done + 1, pack.chunks.length);
    }
    return { ok: true };
  } finally {
    closeSync(part);
  }
}

function wholeChunks(file: number, { bytes, chunks }: ReleaseManifest['pack']): number {
  const size = fstatSync(file).size;
  const buffer = Buffer.alloc(RELEASE_CHUNK_BYTES);
  for (const [n, hash] of chunks.entries()) {
    const from = n * RELEASE_CHUNK_BYTES;
    const length = Math.min(RELEASE_CHUNK_BYTES, bytes - from);
    if (from + length > size) return n;
    const read = readSync(file, buffer, 0, length, from);
    if (sha256(buffer.subarray(0, read)) !== hash) return n;
  }
  return chunks.length;
}

async function fetchChunk(
  { pack, source, wait }: DownloadDeps,
  chunk: number,
  signal: AbortSignal,
): Promise<{ ok: true; bytes: Uint8Array } | { ok: false; why: string }> {
  const length = Math.min(RELEASE_CHUNK_BYTES, pack.bytes - chunk * RELEASE_CHUNK_BYTES);
  let wrong = 0;
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      const bytes = await source(chunk, signal);
      if (bytes.length === length && sha256(bytes) === pack.chunks[chunk]) return { ok: true, bytes };
      wrong += 1;
      if (wrong >= MOST_WRONG)
        return {
          ok: false,
          why: `chunk ${chunk} of the pack is not what was signed, ${wrong} times in a row`,
        };
    } catch {
      wrong = 0; // No way to it now: nothing is known of its bytes.
    }
    await wait(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 6)), signal);
  }
  return { ok: false, why: 'stopped' };
}
