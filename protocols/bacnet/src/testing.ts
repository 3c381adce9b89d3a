import type { Connection, DriverLog, PointRef } from '@parkline/kit';
import { driver } from './index.ts';

export const quietLog: DriverLog = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** Signal of a test that never gives up. */
export const never = (): AbortSignal => new AbortController().signal;

export const gauge = (address: string, scale = 1): PointRef => ({
  pointId: address,
  address,
  scale,
  kind: 'gauge',
});

/** A real connection on a free port with the real clock; short time-outs keep tests short. */
export function connectionTo(place: { host: string; port: number }, params: object = {}): Connection {
  return driver.openConnection(
    { host: '127.0.0.1', port: 0, whoIs: [place], timeoutMs: 300, retries: 2, ...params },
    { now: Date.now, log: quietLog, dataDir: '/nowhere' },
  );
}
