import { createHash } from 'node:crypto';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { createFaults, type FaultRule } from '../../firmware-sim/src/faults.ts';
import type { DeviceEntry } from '../../firmware-sim/src/request-log.ts';
import { createMqttDevices } from '../../firmware-sim/src/servers/mqtt.ts';
import { type MqttTable, parseMqttTable } from '../../firmware-sim/src/tables/mqtt-table.ts';

/** Devices that come to a broker. Drivers may not import the simulator; their tests reach it through here. */
export interface MqttBench {
  /** Where they look for the broker. Nobody listens there yet. */
  readonly place: { readonly host: string; readonly port: number };
  /** Driver parameters of a device. */
  readonly paramsOf: (key: string) => { readonly username: string; readonly passwordSha256: string };
  /** Quantities all devices show; to be changed by the test. */
  readonly values: Map<string, number>;
  /** Everything told so far. */
  readonly told: readonly DeviceEntry[];
  fault(rule: Omit<FaultRule, 'bus'>): void;
  clear(): void;
  unplug(): Promise<void>;
  plug(): Promise<void>;
  stop(): Promise<void>;
}

/** One of each shape, told ten times a second. */
const table: MqttTable = parseMqttTable(
  `{ device: bench, topic: state, everySeconds: 0.1, fields: [
    { field: open, quantity: open, as: boolean },
    { field: count.in, quantity: passes, as: integer },
    { field: air.t, quantity: temperature, as: decimal, digits: 2 },
    { field: broken, quantity: broken, as: decimal }] }`,
  'bench',
);
export const tokenOf = (key: string): string => `token-of-${key}`;
export const paramsOf = (key: string) => ({
  username: key,
  passwordSha256: createHash('sha256').update(tokenOf(key)).digest('hex'),
});

export { freePort } from '../../deploy/local/machine.ts';

/** A client with its own mind, of another code line than the broker. It does not try again. */
export function mqttClient(options: IClientOptions): Promise<MqttClient> {
  const client = connect({ protocolVersion: 4, reconnectPeriod: 0, keepalive: 30, ...options });
  return new Promise((resolve, reject) => {
    client.once('connect', () => {
      client.on('error', () => undefined);
      resolve(client);
    });
    client.once('error', reject);
    client.once('close', () => {
      reject(new Error('closed'));
    });
  });
}

/** `keys`: the devices, each with its key as user name. */
export async function startMqttBench(keys: readonly string[]): Promise<MqttBench> {
  const values = new Map([
    ['open', 1],
    ['passes', 4711],
    ['temperature', 21.37],
    ['broken', Number.NaN],
  ]);
  const faults = createFaults();
  const told: DeviceEntry[] = [];
  const quantities = new Map([...values.keys()].map((key) => [key, () => values.get(key) ?? Number.NaN]));
  const devices = createMqttDevices({
    bus: 'mqtt',
    devices: keys.map((key) => ({ key, address: { username: key }, table, quantities })),
    faults,
    log: { write: (entry) => void ('device' in entry && told.push(entry)), close: () => undefined },
    now: Date.now,
    dataDir: '/nowhere',
    passwordOf: tokenOf,
  });
  const place = await devices.listen({ host: '127.0.0.1', port: 0 });
  return {
    place,
    values,
    told,
    paramsOf,
    fault: (rule) => void faults.set({ bus: 'mqtt', ...rule }),
    clear: () => void faults.clear(),
    unplug: () => devices.close(),
    plug: async () => void (await devices.listen(place)),
    stop: () => devices.close(),
  };
}
