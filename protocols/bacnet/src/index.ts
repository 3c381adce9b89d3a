import { type Connection, type DriverDeps, DriverError, type DriverModule } from '@parkline/kit';
import { createBacnetDriver } from './driver.ts';
import { createLink } from './link.ts';
import { createMux } from './mux.ts';
import { parseConnectionParams, parseDeviceParams } from './params.ts';
import { createSlots } from './queue.ts';
import { createUdpBind, udpName } from './socket.ts';

/** BACnet/IP, reading and changes of value. */
export const driver: DriverModule = { protocol: 'bacnet', openConnection };

function openConnection(given: unknown, { now, log }: DriverDeps): Connection {
  const { host, port, whoIs, timeoutMs, retries, maxInFlight } = parseConnectionParams(given);
  const mux = createMux({
    bind: createUdpBind({ host, port, log }),
    where: udpName({ host, port }),
    whoIs,
    timeoutMs,
    log,
  });
  const slots = createSlots(maxInFlight);
  const taken = new Set<number>();
  const random = Math.random;
  return {
    device(wanted) {
      const params = parseDeviceParams(wanted);
      const instance = params.device;
      if (taken.has(instance))
        throw new DriverError('config', `device ${instance} is there twice`, 'bacnet device');
      taken.add(instance);
      const link = createLink({ mux, slots, instance, timeoutMs, retries, now, random, log });
      return createBacnetDriver({ link, params, timeoutMs, now, random, log });
    },
    close: () => mux.close(),
  };
}
