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
export const register = (address: string, scale = 1): PointRef => ({
  pointId: address,
  address,
  scale,
  kind: 'register',
});

/** A real connection with the real clock; time-outs of 100 ms keep tests short. */
export function connectionTo(params: object, now = Date.now): Connection {
  return driver.openConnection({ timeoutMs: 300, ...params }, { now, log: quietLog, dataDir: '/nowhere' });
}
