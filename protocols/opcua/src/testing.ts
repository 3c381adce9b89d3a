import { join } from 'node:path';
import type { Connection, DriverLog, PointRef } from '@parkline/kit';
import type { OpcuaBench } from '../../../tests/support/opcua.ts';
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

/** A real connection with the real clock, to a server it trusts unless `params` says otherwise. */
export function connectionTo(bench: OpcuaBench, params: object = {}, log: DriverLog = quietLog): Connection {
  const { endpointUrl, fingerprint, folder } = bench;
  return driver.openConnection(
    {
      endpointUrl,
      serverFingerprint: fingerprint,
      timeoutMs: 3_000,
      samplingMs: 100,
      publishingMs: 100,
      ...params,
    },
    { now: Date.now, log, dataDir: join(folder, 'gateway') },
  );
}

/** Everything that `items` yields. */
export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
