import type { Connection, DriverLog, PointRef } from '@parkline/kit';
import { driver } from './index.ts';

export const quietLog: DriverLog = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** Signal of a test that never gives up. */
export const never = (): AbortSignal => new AbortController().signal;

export const gauge = (address: string, scale = 1): PointRef => ({
  ...{ pointId: address, address, scale },
  kind: 'gauge',
});
export const register = (address: string, scale = 1): PointRef => ({
  ...{ pointId: address, address, scale },
  kind: 'register',
});

/** A real connection with the real clock; short time-outs keep tests short. */
export function connectionTo(params: object): Connection {
  return driver.openConnection(
    { timeoutMs: 300, quietMs: 20, ...params },
    { now: Date.now, log: quietLog, dataDir: '/nowhere' },
  );
}

/** The bytes of a telegram as manuals print them. */
export const bytes = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
