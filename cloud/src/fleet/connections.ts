import { createHash } from 'node:crypto';
import { type AddressOf, addressSchemas, readAddress } from './addresses.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { EquipmentParams } from './tables.ts';

/**
 * Where a bus answers; `fingerprint` is that of an OPC UA server's certificate (SHA-256, hex). What host and port cannot say (a
 * serial line, a BBMD, a broker of somebody else's) is written out as the driver's own parameters.
 */
export type BusPort = NetworkPort | { readonly params: Readonly<Record<string, unknown>> };

interface NetworkPort {
  readonly host: string;
  readonly port: number;
  readonly fingerprint?: string;
}

/** By bus key; written by whoever runs the devices. */
export type BusPorts = Readonly<Record<string, BusPort>>;

/** What devices log in with at a gateway's broker, by equipment key. A gateway is told their hashes only. */
export type DeviceTokens = Readonly<Record<string, string>>;

/** Silence after which a request on a Modbus bus has failed; the other drivers know their own. */
const MODBUS_TIMEOUT_MS = 1_000;

type Protocol = keyof typeof addressSchemas;

/** A gateway that cannot be told how to reach something. */
export class ConnectionError extends Error {
  readonly text: LocalText;
  constructor(text: LocalText) {
    super(text.en);
    this.name = 'ConnectionError';
    this.text = text;
  }
}

const connectionWords = {
  noPlace: (bus: string) => ({
    en: `nobody has said where bus ${bus} is`,
    zh: `总线 ${bus} 的位置尚未填写`,
  }),
  noFingerprint: (bus: string) => ({
    en: `the ports file has no fingerprint of the server of bus ${bus}`,
    zh: `总线 ${bus} 缺少服务器证书指纹`,
  }),
  noDriver: (bus: string, protocol: string) => ({
    en: `bus ${bus}: there is no driver for ${protocol}`,
    zh: `总线 ${bus}：没有 ${protocol} 协议的驱动`,
  }),
  noToken: (key: string) => ({
    en: `${key} logs in at the gateway: name a secrets file (--secrets) with its token`,
    zh: `${key} 需登录网关，但缺少其令牌`,
  }),
  noAddress: (key: string, protocol: string, params: string) => ({
    en: `${key} has no ${protocol} address: ${params}`,
    zh: `${key} 没有有效的 ${protocol} 地址：${params}`,
  }),
};

/**
 * What a gateway's driver needs to open a bus. `params` are those of one device on it. Pure.
 * @throws ConnectionError naming the bus when nobody said where it is, or not enough, or when no driver speaks the protocol.
 */
export function connectionParams(
  bus: string,
  protocol: string,
  place: BusPort | undefined,
  params: EquipmentParams,
): Record<string, unknown> {
  if (!place) throw new ConnectionError(connectionWords.noPlace(bus));
  const build = builders[known(protocol, bus)];
  return 'params' in place ? { ...place.params } : build(bus, place, params);
}

const builders: Readonly<
  Record<Protocol, (bus: string, place: NetworkPort, params: EquipmentParams) => Record<string, unknown>>
> = {
  modbus: (_bus, { host, port }, params) => ({
    ...{ transport: readAddress('modbus', params)?.transport, host, port },
    timeoutMs: MODBUS_TIMEOUT_MS,
    interFrameMs: 0,
  }),
  bacnet: (_bus, { host, port }) => ({
    // On one machine several gateways cannot share the well-known port; devices answer to the sender's.
    ...(isLoopback(host) && { host, port: 0 }),
    whoIs: [{ host, port }],
  }),
  opcua(bus, { host, port, fingerprint }) {
    if (!fingerprint) throw new ConnectionError(connectionWords.noFingerprint(bus));
    return { endpointUrl: `opc.tcp://${host}:${port}`, serverFingerprint: fingerprint };
  },
  mqtt: (_bus, { host, port }) => ({ host, port }),
  // A serial server in front of the line of meters.
  dlt645: (_bus, { host, port }) => ({ transport: 'tcp', host, port }),
  cjt188: (_bus, { host, port }) => ({ transport: 'tcp', host, port }),
};

const isLoopback = (host: string): boolean =>
  host.startsWith('127.') || host === '::1' || host === 'localhost';

function known(protocol: string, bus: string): Protocol {
  if (Object.hasOwn(addressSchemas, protocol)) return protocol as Protocol;
  throw new ConnectionError(connectionWords.noDriver(bus, protocol));
}

/** How a driver finds a device on its bus. Pure. @throws ConnectionError naming a device whose token or address is missing. */
export function deviceParams(
  key: string,
  protocol: string,
  params: EquipmentParams,
  tokens: DeviceTokens,
): Record<string, unknown> {
  if (protocol === 'modbus') return { unit: addressOf(key, 'modbus', params).unit };
  if (protocol !== 'mqtt') return { ...params };
  const { username } = addressOf(key, 'mqtt', params);
  const token = tokens[key];
  if (token === undefined) throw new ConnectionError(connectionWords.noToken(key));
  return { username, passwordSha256: createHash('sha256').update(token).digest('hex') };
}

function addressOf<P extends Protocol>(key: string, protocol: P, params: EquipmentParams): AddressOf<P> {
  const address = readAddress(protocol, params);
  if (!address) throw new ConnectionError(connectionWords.noAddress(key, protocol, JSON.stringify(params)));
  return address;
}
