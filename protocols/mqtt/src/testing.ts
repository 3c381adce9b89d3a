import type { Connection, DriverLog, PointRef } from '@parkline/kit';
import { driver } from './index.ts';

export const quietLog: DriverLog = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** Signal of a test that never gives up. */
export const never = (): AbortSignal => new AbortController().signal;

export const point = (address: string, over: Partial<PointRef> = {}): PointRef => ({
  ...{ pointId: address, address, scale: 1, kind: 'gauge' },
  ...over,
});

/** A real broker with the real clock. */
export const connectionTo = (params: object, log: DriverLog = quietLog): Connection =>
  driver.openConnection({ timeoutMs: 10_000, ...params }, { now: Date.now, log, dataDir: '/nowhere' });
