import { type Connection, DriverError, type DriverDeps, type DriverModule } from '@parkline/kit';
import { createBroker } from './broker.ts';
import type { Account } from './door.ts';
import { createMqttDriver } from './driver.ts';
import { parseConnectionParams, parseDeviceParams } from './params.ts';
import { createStation } from './station.ts';

/** MQTT 3.1 and 3.1.1: the gateway is the broker, devices come and tell. */
export const driver: DriverModule = { protocol: 'mqtt', openConnection };

function openConnection(given: unknown, { now, log }: DriverDeps): Connection {
  const { timeoutMs, ...params } = parseConnectionParams(given);
  const where = `${params.host}:${params.port}`;
  const accounts = new Map<string, Account>();
  const broker = createBroker({ ...params, log, accountOf: (username) => accounts.get(username) });
  let openedAt: Promise<number> | undefined;

  /** Everyone who reads asks for the broker; it opens once, and again after it could not. */
  async function open(): Promise<number> {
    openedAt ??= broker.open().then(now);
    try {
      return await openedAt;
    } catch (error) {
      openedAt = undefined;
      throw error;
    }
  }

  return {
    device(deviceParams) {
      const { username, passwordSha256, maxAgeMs } = parseDeviceParams(deviceParams);
      if (accounts.has(username))
        throw new DriverError('config', `username ${username} is there twice`, where);
      const station = createStation(now);
      accounts.set(username, { username, passwordSha256, station });
      return createMqttDriver({
        ...{ station, open, timeoutMs, maxAgeMs, now, log },
        where: `${where} ${username}`,
      });
    },
    async close() {
      openedAt = undefined;
      await broker.close();
    },
  };
}
