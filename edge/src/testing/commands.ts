import { type KeyObject, sign } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Command } from '@parkline/contract';
import type { Driver } from '@parkline/kit';
import { pointId } from './gateway.ts';

/** A command as the cloud would send it. */
export const command = (over: Partial<Command> = {}): Command => ({
  id: '018f0000-0000-7000-8000-0000000000c1',
  gatewayId: '018f0000-0000-7000-8000-000000000001',
  pointId,
  value: 21,
  actor: { id: '018f0000-0000-7000-8000-0000000000a1', name: 'Ada' },
  approver: null,
  reason: 'too warm',
  issuedAt: 0,
  expiresAt: 60_000,
  ...over,
});

/** Signed by `key`; a text is signed as it stands. */
export function signedCommand(body: Command | string, key: KeyObject): Uint8Array {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const sig = sign(null, Buffer.from(text), key).toString('base64url');
  return Buffer.from(JSON.stringify({ body: text, sig }));
}

/** What a file device was told, in order: one line for each write that reached it. */
export const writesTo = (path: string): (number | null)[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as number | null)
    : [];

/** A device that is a file: it remembers each write for ever and shows the last value, 20 when it was given back. */
export function fileDevice(path: string): Driver {
  const shown = (): number => writesTo(path).at(-1) ?? 20;
  return {
    connect: () => Promise.resolve(),
    async *browse() {
      yield* [];
    },
    read: (refs) => {
      const at = Date.now();
      return Promise.resolve(
        refs.map(({ pointId: id }) => ({
          ...{ pointId: id, at, beganAt: at, value: shown(), quality: 'good' as const },
        })),
      );
    },
    write({ value }) {
      appendFileSync(path, `${JSON.stringify(value)}\n`, { flush: true });
      return Promise.resolve({ state: 'done', at: Date.now(), readBack: shown() });
    },
    close: () => Promise.resolve(),
  };
}
