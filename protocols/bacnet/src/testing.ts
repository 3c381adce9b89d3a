import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type library from '@bacnet-js/client';
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

/** A command of somebody else's: WriteProperty of a present value, sent by a client of another code line. Resolves with the device's consent. */
export async function commandFromElsewhere(
  place: { host: string; port: number },
  object: { type: number; instance: number },
  value: { type: number; value: number | null },
  priority: number,
): Promise<void> {
  const { default: Client } = createRequire(import.meta.url)('@bacnet-js/client') as typeof library;
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => void socket.close(resolve));
  const client = new Client({ port, interface: '127.0.0.1', reuseAddr: false });
  try {
    await once(client as unknown as NodeJS.EventEmitter, 'listening');
    const heard = once(client as unknown as NodeJS.EventEmitter, 'iAm');
    client.whoIs({ address: `${place.host}:${place.port}` });
    const [{ header }] = (await heard) as [{ header: { sender: { address: string } } }];
    await client.writeProperty(header.sender, object, 85, [value] as never, { priority });
  } finally {
    client.close();
  }
}
