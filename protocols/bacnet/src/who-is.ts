import { BacnetClient } from './library.ts';
import { createTransport } from './transport.ts';

/** Network number of "every network", so that routers pass the question on. Clause 6.2.2. */
const ALL_NETWORKS = 0xffff;

/** Sends Who-Is to the places that are configured. */
export interface Caller {
  whoIs(low: number, high: number): void;
}

/** An address that ends in 255 is taken for a broadcast address: it gets a broadcast, any other a message of its own. */
export function createCaller(
  targets: readonly { readonly host: string; readonly port: number }[],
  send: (datagram: Buffer, to: { address: string; port: number }) => void,
): Caller {
  const isBroadcast = (host: string): boolean => host.endsWith('.255');
  const broadcasts = targets.filter(({ host }) => isBroadcast(host));
  const single = targets.filter(({ host }) => !isBroadcast(host));
  const transport = createTransport((datagram, receiver) => {
    if (receiver === undefined) {
      for (const { host, port } of broadcasts) send(datagram, { address: host, port });
    } else {
      const [address = '', port] = receiver.split(':');
      send(datagram, { address, port: Number(port) });
    }
  });
  const client = new BacnetClient({ transport });
  return {
    whoIs(low, high) {
      const window = { lowLimit: low, highLimit: high };
      if (broadcasts.length > 0) client.whoIs({ net: ALL_NETWORKS }, window);
      for (const { host, port } of single) client.whoIs({ address: `${host}:${port}` }, window);
    },
  };
}
