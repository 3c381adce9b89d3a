import { type Connection, type DriverDeps, DriverError, type DriverModule } from '@parkline/kit';
import { discover } from './discover.ts';
import { createBacnetDriver } from './driver.ts';
import { createLink, type Link } from './link.ts';
import { createMux } from './mux.ts';
import { parseConnectionParams, parseDeviceParams } from './params.ts';
import { createSlots } from './queue.ts';
import { createUdpBind, ownAddressTowards, udpName } from './socket.ts';

/** BACnet/IP: reading, writing, changes of value, alarms and trend logs. */
export const driver: DriverModule = { protocol: 'bacnet', openConnection };

function openConnection(given: unknown, { now, log }: DriverDeps): Connection {
  const { host, port, whoIs, bbmd, timeoutMs, retries, maxInFlight } = parseConnectionParams(given);
  const mux = createMux({
    bind: createUdpBind({ host, port, log }),
    where: udpName({ host, port }),
    whoIs,
    bbmd,
    timeoutMs,
    log,
  });
  const slots = createSlots(maxInFlight);
  const links = new Map<number, Link>();
  const random = Math.random;
  const linkTo = (instance: number): Link =>
    createLink({ mux, slots, instance, timeoutMs, retries, now, random, log });
  return {
    device(wanted) {
      const params = parseDeviceParams(wanted);
      const instance = params.device;
      if (links.has(instance))
        throw new DriverError('config', `device ${instance} is there twice`, 'bacnet device');
      const link = linkTo(instance);
      links.set(instance, link);
      const ownPlace = async () => {
        const { place } = link;
        if (!place || place.net !== undefined || mux.port === undefined) return undefined;
        return { address: await ownAddressTowards(place), port: mux.port };
      };
      return createBacnetDriver({ link, params, timeoutMs, ownPlace, now, random, log });
    },
    discover(range, signal) {
      const borrow = (instance: number) => {
        const link = links.get(instance);
        if (link && !link.isClosed) return { link, end: () => undefined };
        const own = linkTo(instance);
        return { link: own, end: () => own.close() };
      };
      return discover({ mux, timeoutMs, borrow }, range, signal);
    },
    close: () => mux.close(),
  };
}
