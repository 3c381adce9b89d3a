import { UsageError } from '../cli/io.ts';
import type { LinkOptions } from './link-options.ts';

/** What a driver needs to reach a device, as gateway.yaml has it. */
export interface DirectParams {
  readonly connection: Record<string, unknown>;
  readonly device: Record<string, unknown>;
}

type Given = LinkOptions & { readonly password?: string };

/**
 * Driver parameters from the short forms of the command line. Pure; the driver checks the result.
 * @throws UsageError naming the option that is missing or wrong, and what would be right.
 */
export function directParams(protocol: string, options: Given): DirectParams {
  const build = builders[protocol];
  if (!build) throw new UsageError(`no driver ${protocol}; there are ${Object.keys(builders).join(', ')}`);
  const connection = readJson('--connection', options.connection);
  const device = readJson('--device', options.device);
  // Whoever writes the parameters out needs none of the short forms.
  const built = build(options, options.connection !== undefined);
  const timeout = options.timeout === undefined ? {} : { timeoutMs: options.timeout };
  return {
    connection: { ...built.connection, ...timeout, ...connection },
    device: { ...built.device, ...device },
  };
}

type Builder = (options: Given, isWrittenOut: boolean) => DirectParams;

const builders: Readonly<Record<string, Builder>> = {
  modbus: (options, isWrittenOut) => ({
    connection: isWrittenOut ? {} : modbusLine(options),
    device: defined({ unit: options.unit }),
  }),
  bacnet: (options, isWrittenOut) => ({
    connection: isWrittenOut ? {} : bacnetNetwork(options),
    device: defined({ device: options.instance }),
  }),
  opcua: (options, isWrittenOut) => ({
    connection: isWrittenOut ? {} : opcuaServer(options),
    device: defined({ root: options.root }),
  }),
  mqtt: (options, isWrittenOut) => ({
    connection: isWrittenOut ? {} : mqttBroker(options),
    device: defined({ topic: options.topic }),
  }),
  dlt645: meters,
  cjt188: meters,
};

export const protocols: readonly string[] = Object.keys(builders);

function meters(options: Given, isWrittenOut: boolean): DirectParams {
  return {
    connection: isWrittenOut ? {} : meterLine(options),
    device: defined({ address: options.meter, type: options.meterType }),
  };
}

function modbusLine(options: Given): Record<string, unknown> {
  const { tcp, rtuOverTcp } = options;
  const serial = serialLine(options);
  if (serial) return { transport: 'rtu', ...serial };
  if (rtuOverTcp !== undefined) return { transport: 'rtu-over-tcp', ...place('--rtu-over-tcp', rtuOverTcp) };
  if (tcp !== undefined) return { transport: 'tcp', ...place('--tcp', tcp, 502) };
  throw new UsageError(
    'where is the Modbus line? Name --tcp HOST, --rtu-over-tcp HOST:PORT or --serial PATH',
  );
}

function meterLine(options: Given): Record<string, unknown> {
  const serial = serialLine(options);
  if (serial) return { transport: 'serial', ...serial };
  const tcp = options.tcp ?? options.rtuOverTcp;
  if (tcp !== undefined) return { transport: 'tcp', ...place('--tcp', tcp) };
  throw new UsageError('where is the meter? Name --serial PATH, or --tcp HOST:PORT of its serial server');
}

function serialLine({ serial, baud, parity, stopBits }: Given): Record<string, unknown> | undefined {
  return serial === undefined
    ? undefined
    : { path: serial, ...defined({ baudRate: baud, parity, stopBits }) };
}

/** Devices answer to 47808 where they answer by broadcast; on one machine the simulator's answer to the asker's port. */
function bacnetNetwork({ whoIs = [], bbmd, bind }: Given): Record<string, unknown> {
  if (whoIs.length === 0 && bbmd === undefined)
    throw new UsageError('where to ask? Name --who-is with the broadcast address of the network, or --bbmd');
  const places = whoIs.map((text) => place('--who-is', text, 47_808));
  const isLocal = places.length > 0 && places.every(({ host }) => host.startsWith('127.'));
  const own = bind === undefined ? undefined : place('--bind', bind, 47_808, 0);
  return {
    ...(own ?? (isLocal ? { host: '127.0.0.1', port: 0 } : {})),
    whoIs: places,
    ...(bbmd !== undefined && { bbmd: place('--bbmd', bbmd, 47_808) }),
  };
}

function opcuaServer({ endpoint, fingerprint, user, password, namespace }: Given): Record<string, unknown> {
  if (endpoint === undefined)
    throw new UsageError('where is the server? Name --endpoint opc.tcp://HOST:4840');
  return defined({ endpointUrl: endpoint, serverFingerprint: fingerprint, user, password, namespace });
}

function mqttBroker({ broker, user, passwordFile }: Given): Record<string, unknown> {
  if (broker === undefined) throw new UsageError('where is the broker? Name --broker mqtt://HOST:1883');
  return { mode: 'client', url: broker, cleanSession: true, ...defined({ username: user, passwordFile }) };
}

/** @throws UsageError naming the option. */
function place(option: string, text: string, usual?: number, least = 1): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? usual : Number(digits);
  if (host === undefined) throw new UsageError(`${option} ${text}: write HOST:PORT`);
  if (port === undefined) throw new UsageError(`${option} ${text}: the port is missing, write HOST:PORT`);
  if (port < least || port > 65_535) throw new UsageError(`${option} ${text}: there is no port ${port}`);
  return { host, port };
}

/** @throws UsageError naming the option and what is wrong with the JSON. */
function readJson(option: string, text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${option} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`${option} must be a JSON object, as params in gateway.yaml`);
  return value as Record<string, unknown>;
}

const defined = (values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
