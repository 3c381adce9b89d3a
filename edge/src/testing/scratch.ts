import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Draft, openOutbox, type Outbox, type OutboxDeps } from '../pipeline/outbox.ts';

/** A folder that is gone when the test is over: `using home = scratch()`. */
export function scratch(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'parkline-edge-'));
  return {
    path,
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

export const testDeps = (folder: string): OutboxDeps => ({
  path: join(folder, 'outbox.sqlite'),
  maxBytes: 512 * 1024 * 1024,
  now: () => 1_000,
  failpoint: () => undefined,
  onMovedAside: (movedTo, cause) => {
    throw new Error(`moved aside to ${movedTo}`, { cause });
  },
});

export const openTestOutbox = (folder: string, over: Partial<OutboxDeps> = {}): Outbox =>
  openOutbox({ ...testDeps(folder), ...over });

/** A message whose bytes are its own number, or `bytes`. */
export const draft = (over: Partial<Draft> & { bytes?: Uint8Array } = {}): Draft => ({
  kind: 'samples',
  from: 1,
  to: 2,
  seal: (_epoch, seq) => over.bytes ?? Buffer.from(String(seq)),
  ...over,
});
