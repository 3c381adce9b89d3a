import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type MqttClient } from 'mqtt';
import { commandOf, type MqttTable, shownIn, telegramOf } from '../tables/mqtt-table.ts';
import type { BusPlace } from '../ports.ts';
import type { BusServer, BusServerDeps, ServedDevice } from './bus-server.ts';

/** How often a device looks at itself for a change, ms. */
const LOOK_MS = 500;
/** Pause before a device that found no broker tries again, ms. */
const RETRY_MS = 500;
const KEEPALIVE_S = 20;

export interface MqttDevicesDeps extends BusServerDeps<MqttTable> {
  /** The token of a device, by its key in the park. */
  readonly passwordOf: (key: string) => string;
}

/** The devices of a bus that come to the gateway's broker: they are clients, so "listening" is to keep coming back. */
export function createMqttDevices(deps: MqttDevicesDeps): BusServer {
  const running = new Map<string, Connected>();
  const orders = new Map<string, Orders>();
  let place: BusPlace | undefined;
  const join = (key: string): void => {
    const device = deps.devices.find((each) => each.key === key);
    if (device && place && !running.has(key)) {
      const kept = orders.get(key) ?? new Map<string, number>();
      orders.set(key, kept);
      running.set(key, start(device, deps, place, kept));
    }
  };
  const leave = async (key: string): Promise<void> => {
    const leaving = running.get(key);
    running.delete(key);
    await leaving?.vanish();
  };
  return {
    async listen({ host, port }) {
      place = { host, port: port === 0 ? await freePort(host) : port };
      for (const { key } of deps.devices) join(key);
      return place;
    },
    async close() {
      place = undefined;
      await Promise.all([...running.keys()].map(leave));
    },
    leave,
    join: async (key) => join(key),
  };
}

/** What a device was told to show instead of a quantity, until that is taken back; it outlives its connection. */
type Orders = Map<string, number>;

interface Connected {
  /** Leaves without a farewell, so the broker sends its last will. */
  vanish(): Promise<void>;
}

/** A number that is free now; the broker, which is not ours, will take it. */
function freePort(host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const probe = createServer().once('error', reject);
  probe.listen(0, host, () => {
    const address = probe.address();
    probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
  });
  return promise;
}

function start(
  device: ServedDevice<MqttTable>,
  deps: MqttDevicesDeps,
  { host, port }: { readonly host: string; readonly port: number },
  orders: Orders,
): Connected {
  const username = usernameOf(device);
  const presence = `devices/${username}/online`;
  const client = connect({
    ...{ host, port, username, protocolVersion: 4, keepalive: KEEPALIVE_S, reconnectPeriod: RETRY_MS },
    reconnectOnConnackError: true, // A gateway may learn of it later.
    clientId: username,
    password: deps.passwordOf(device.key),
    will: { topic: presence, payload: Buffer.from('0'), qos: 1, retain: true },
  });
  client.on('error', () => undefined); // No broker yet, or none any more: it keeps trying.
  const { topic, command } = device.table;
  const teller = createTeller(device, deps, client, `devices/${username}/${topic}`, orders);
  client.on('message', (_topic, payload) => {
    obey(device, deps, orders, payload.toString());
    teller.tell(true); // Also what it did not do: whoever ordered it sees.
  });
  client.on('connect', () => {
    if (command !== undefined) client.subscribe(`devices/${username}/${command}`, { qos: 1 });
    client.publish(presence, '1', { qos: 1, retain: true });
    teller.tell(true);
  });
  const look = setInterval(
    () => {
      teller.tell(false);
    },
    Math.min(LOOK_MS, device.table.everyMs),
  );
  return {
    async vanish() {
      clearInterval(look);
      await client.endAsync(true);
    },
  };
}

/** Does what a command says, unless the device is at fault. */
function obey(
  { key, table }: ServedDevice<MqttTable>,
  { bus, faults, log, now }: MqttDevicesDeps,
  orders: Orders,
  payload: string,
): void {
  const command = commandOf(table, payload);
  const outcome = command ? (faults.strike({ bus, device: key })?.kind ?? 'ok') : 'refuse';
  log.write({ t: now(), bus, device: key, op: 'write', values: Object.fromEntries(command ?? []), outcome });
  if (outcome !== 'ok') return;
  for (const [quantity, value] of command ?? []) {
    if (value === null) orders.delete(quantity);
    else orders.set(quantity, value);
  }
}

/** Tells the state of one device: changes when it looks, everything when its time has come or `isAll`. */
function createTeller(
  { key, table, quantities }: ServedDevice<MqttTable>,
  { bus, faults, log, now }: MqttDevicesDeps,
  client: MqttClient,
  topic: string,
  orders: Orders,
) {
  let last = { text: '', at: -Infinity };
  let line: Promise<void> = Promise.resolve();

  async function send(t: number, shown: Map<string, number | null>): Promise<void> {
    const fault = faults.strike({ bus, device: key });
    for (const { quantity } of table.fields) {
      const own = fault ?? faults.strike({ bus, device: key, quantity });
      if (own?.kind === 'refuse') shown.set(quantity, null);
    }
    if (fault?.kind === 'delay') await sleep(fault.ms);
    const isSilent = fault?.kind === 'silence' || !client.connected;
    const outcome = isSilent ? 'silence' : (fault?.kind ?? 'ok');
    log.write({ t, bus, device: key, op: 'publish', values: Object.fromEntries(shown), outcome });
    if (!isSilent) client.publish(topic, telegramOf(table, shown, t), { qos: 1, retain: true });
  }

  return {
    tell(isAll: boolean): void {
      if (!client.connected) return;
      const t = now();
      const shown = new Map(
        table.fields.map((field) => [
          field.quantity,
          shownIn(field, orders.get(field.quantity) ?? quantities.get(field.quantity)?.(t) ?? Number.NaN),
        ]),
      );
      const text = telegramOf(table, shown, 0);
      if (!isAll && text === last.text && t - last.at < table.everyMs) return;
      last = { text, at: t };
      line = line.then(() => send(t, shown)); // A delayed telegram holds up those behind it.
    },
  };
}

/** @throws Error when the park file gives no user name. */
function usernameOf({ key, address }: ServedDevice<MqttTable>): string {
  const username = (address as { username?: unknown } | null)?.username;
  if (typeof username !== 'string' || !/^[\w.-]+$/.test(username))
    throw new Error(`${key}: address.username is ${String(username)}, not a name`);
  return username;
}
