import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type library from '@bacnet-js/client';

const { default: Client } = createRequire(import.meta.url)('@bacnet-js/client') as typeof library;

/** The plainest way to poll: the library on its own socket, requests to all devices by one client. */
export interface RawReader {
  readAll(rounds: number): Promise<void>;
  close(): void;
}

/** @param place Where Who-Is is heard. Devices have the instances 1 to `devices`, and analog inputs 1 to `points`. */
export async function createRawReader(
  place: { host: string; port: number },
  devices: number,
  points: number,
): Promise<RawReader> {
  const client = new Client({ port: await freePort(), interface: '127.0.0.1', reuseAddr: false });
  const found = new Map<number, string>();
  const allFound = new Promise<void>((resolve) => {
    client.on('iAm', ({ header, payload }) => {
      const { deviceId } = payload as unknown as { deviceId: number };
      found.set(deviceId, header!.sender.address!);
      if (found.size === devices) resolve();
    });
  });
  await once(client as unknown as NodeJS.EventEmitter, 'listening');
  client.whoIs({ address: `${place.host}:${place.port}` }, { lowLimit: 1, highLimit: devices });
  await allFound;
  const all = 0xffff_ffff; // No array index.
  const asked = Array.from({ length: points }, (_, p) => ({
    objectId: { type: 0, instance: p + 1 },
    properties: [85, 111].map((id) => ({ id, index: all })),
  }));
  return {
    async readAll(rounds) {
      const poll = async (address: string): Promise<void> => {
        for (let n = 0; n < rounds; n += 1) {
          const { values } = await client.readPropertyMultiple({ address }, asked);
          if (values.length !== points) throw new Error(`${values.length} objects from ${address}`);
        }
      };
      await Promise.all([...found.values()].map(poll));
    },
    close: () => client.close(),
  };
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => void socket.close(resolve));
  return port;
}
