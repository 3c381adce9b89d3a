import type { DriverModule } from '@parkline/kit';
import { openBroker } from './broker-connection.ts';
import { openClient } from './client-connection.ts';
import { parseConnectionParams } from './params.ts';

/** MQTT: the gateway is the broker to which devices come (3.1 and 3.1.1), or a client of another broker (3.1.1 and 5). */
export const driver: DriverModule = {
  protocol: 'mqtt',
  openConnection(given, deps) {
    const params = parseConnectionParams(given);
    return params.mode === 'client' ? openClient(params, deps) : openBroker(params, deps);
  },
};
