import { RELEASE_CHUNK_BYTES, type ReleaseManifest, type SignedText } from '@parkline/contract';
import type { ChunkSource } from './download.ts';
import { headOf } from './release-file.ts';

const TIMEOUT_MS = 30_000;

/** Asks the cloud over the link that is there anyway. Rejects when nobody answers, or when the answer is empty. */
export const linkSource =
  (
    ask: (query: Uint8Array, timeoutMs: number) => Promise<Uint8Array>,
    { pack }: ReleaseManifest,
  ): ChunkSource =>
  async (chunk) => {
    const bytes = await ask(Buffer.from(JSON.stringify({ pack: pack.sha256, chunk })), TIMEOUT_MS);
    if (bytes.length === 0) throw new Error('the cloud does not hold this release');
    return bytes;
  };

/** Takes the pack out of a release file on a web server that knows ranges (RFC 9110 clause 14). */
export const webSource =
  (get: typeof fetch, url: string, signed: SignedText, { pack }: ReleaseManifest): ChunkSource =>
  async (chunk, signal) => {
    const first = headOf(signed).length + chunk * RELEASE_CHUNK_BYTES;
    const length = Math.min(RELEASE_CHUNK_BYTES, pack.bytes - chunk * RELEASE_CHUNK_BYTES);
    const reply = await get(url, {
      headers: { range: `bytes=${first}-${first + length - 1}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    // A server without ranges would send the whole file for every chunk.
    if (reply.status !== 206) throw new Error(`${url} answers ${reply.status}, not a range`);
    return new Uint8Array(await reply.arrayBuffer());
  };
