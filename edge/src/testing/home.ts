import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { zstdDecompressSync } from 'node:zlib';
import { createUser } from '@nats-io/nkeys';
import { decodeEnvelope, type SampleBatch } from '@parkline/contract';

/** A home that a gateway can start in, with keys of its own. */
export function makeHome(path: string, yaml: string): void {
  const cloud = generateKeyPairSync('ed25519').publicKey;
  const { privateKey } = generateKeyPairSync('ed25519');
  mkdirSync(join(path, 'keys'));
  writeFileSync(join(path, 'gateway.yaml'), yaml);
  writeFileSync(join(path, 'keys/signing.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(path, 'keys/cloud.pub.pem'), cloud.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(path, 'keys/nats.nk'), createUser().getSeed());
}

/** A sample on disk: index of its point in the table, value, quality (0 good, 1 uncertain, 2 bad). */
export type StoredSample = readonly [point: number, value: number | null, quality: number];

/** Every sample in the outbox of `home`, in the order it was written, as another process sees it. */
export const storedSamples = (home: string): StoredSample[] =>
  storedWithTimes(home).map(([point, value, quality]) => [point, value, quality]);

/** The same with the time of each, Unix ms. */
export function storedWithTimes(home: string): (readonly [...StoredSample, at: number])[] {
  const db = new DatabaseSync(join(home, 'outbox.sqlite'), { readOnly: true });
  try {
    const rows = db.prepare("SELECT envelope FROM message WHERE kind = 'samples' ORDER BY seq").all();
    return rows.flatMap(({ envelope }) => {
      const decoded = decodeEnvelope(envelope as Uint8Array);
      if (!decoded.ok) throw new Error('no envelope');
      const json = zstdDecompressSync(decoded.envelope.payload).toString('utf8');
      const { p, v, q, t0, dt } = JSON.parse(json) as SampleBatch;
      return p.map((point, i) => [point, v[i]!, q[i]!, t0 + dt[i]!] as const);
    });
  } finally {
    db.close();
  }
}
