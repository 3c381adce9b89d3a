import { systemClock, systemWait } from './base/clock.ts';
import { driverModules } from './drivers.ts';
import './gateway.ts';
import { createHosts } from './host/hosts.ts';

/** The drivers that most gateways run; others pay for their first start. */
const usual = ['modbus', 'bacnet', 'mqtt'];

const nobody = (): void => undefined;

/** Loads the code of the gateway and of its usual drivers, so that the next process finds its compiled form in the cache. */
export async function warmUp(): Promise<void> {
  const hosts = createHosts(driverModules, {
    ...{ clock: systemClock, wait: systemWait, random: Math.random },
    log: { debug: nobody, info: nobody, warn: nobody },
    faults: { fault: nobody, over: nobody },
  });
  await Promise.allSettled(usual.map((protocol) => hosts.load(protocol))); // One that fails says so when it is named.
  await hosts.close();
}
