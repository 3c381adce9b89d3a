import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { BacnetTable } from '../tables/bacnet-table.ts';
import { type Bbmd, createBbmd } from './bacnet-bbmd.ts';
import { createBacnetDevice } from './bacnet-device.ts';
import { pdu, service, unwrap } from './bacnet-wire.ts';
import type { BusServer, BusServerDeps } from './bus-server.ts';

/** The bus, and the BBMD that stands at its place. */
export interface BacnetServer extends BusServer {
  readonly bbmd: Bbmd;
}

/**
 * BACnet/IP controllers on loopback. The place of the bus stands for the broadcast address: a Who-Is sent there reaches every
 * device, and each answers from a socket of its own. A device that comes back has another port, as after a new lease.
 * @throws Error for two devices of one instance, or an address that is none.
 */
export function createBacnetServer(deps: BusServerDeps<BacnetTable>): BacnetServer {
  const devices = deps.devices.map((device) => createBacnetDevice(device, deps));
  const twice = devices.find(
    ({ instance }, n) => devices.findIndex((other) => other.instance === instance) !== n,
  );
  if (twice) throw new Error(`bus ${deps.bus}: two devices of instance ${twice.instance}`);
  let broadcast: Socket | undefined;
  const named = (key: string) => devices[deps.devices.findIndex((device) => device.key === key)];

  const { bbmd, hear, carry } = createBbmd({
    now: deps.now,
    send: (datagram, to) => broadcast?.send(datagram, to.port, to.address),
    broadcast(npdu) {
      // What is distributed is heard by every device, and what they broadcast in answer is carried back.
      const apdu = unwrap(Buffer.concat([Buffer.from([0x81, 0x0b, 0, npdu.length + 4]), npdu]));
      if (apdu?.[0] !== pdu.unconfirmed << 4 || apdu[1] !== service.whoIs) return;
      for (const device of devices) {
        const told = device.iAmTo(apdu.subarray(2));
        if (told) carry(Buffer.from([1, 0x20, 0xff, 0xff, 0, 0xff, ...told.apdu]), told.from);
      }
    },
  });

  return {
    bbmd,
    async listen({ host, port }) {
      const made = createSocket('udp4');
      made.bind(port, host);
      await once(made, 'listening');
      made.on('error', () => undefined);
      made.on('message', (datagram, peer) => {
        if (hear(datagram, peer)) return;
        const apdu = unwrap(datagram);
        if (apdu?.[0] !== pdu.unconfirmed << 4 || apdu[1] !== service.whoIs) return;
        for (const device of devices) device.whoIs(peer, apdu.subarray(2));
      });
      broadcast = made;
      await Promise.all(devices.map((device) => device.listen(host)));
      return { host, port: made.address().port };
    },
    async close() {
      const closing = broadcast;
      broadcast = undefined;
      await Promise.all(devices.map((device) => device.close()));
      if (closing) await new Promise<void>((resolve) => void closing.close(resolve));
    },
    async leave(key) {
      await named(key)?.close();
    },
    async join(key) {
      if (!broadcast) return; // It comes with the bus.
      await named(key)?.close();
      await named(key)?.listen(broadcast.address().address);
    },
  };
}
