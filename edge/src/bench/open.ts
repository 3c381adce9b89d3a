import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { WriteLimits } from '@parkline/contract';
import type { Connection, Driver, DriverLog, DriverModule, PointRef } from '@parkline/kit';
import { findTemplate } from '@parkline/templates';
import { gatewayHome, type Io, readArgument, UsageError } from '../cli/io.ts';
import { loadHome } from '../config/load.ts';
import type { ConnectionConfig, DeviceConfig } from '../config/schema.ts';
import { driverModules } from '../drivers.ts';
import { asGuest } from './guest.ts';
import { directParams, protocols } from './direct.ts';
import type { LinkOptions } from './link-options.ts';

/** A point as the bench shows it. */
export interface BenchPoint {
  readonly ref: PointRef;
  /** Key of its template, else its address. */
  readonly name: string;
  /** Empty where nobody said. */
  readonly unit: string;
  /** What one count of a register is worth, in `unit`; 1 for everything else. */
  readonly resolution: number;
  /** Absent: read only. */
  readonly write?: WriteLimits;
}

/** A connection opened for one command, and the device on it that the command is about. */
export interface Bench {
  /** For messages: 'modbus', or the name of the device. */
  readonly name: string;
  readonly protocol: string;
  /** The gateway's home, when the device is one that it knows. */
  readonly home?: string;
  readonly connection: Connection;
  /** No I/O yet. @throws DriverError 'config' naming the bad field. */
  device(): Driver;
  /** Whoever listened would take what is told from the gateway: read only. */
  readonly isReadOnly: boolean;
  /** What is known of its points: by the gateway's configuration or by a template. */
  readonly points: readonly BenchPoint[];
  close(): Promise<void>;
}

export type BenchOptions = LinkOptions & { readonly template?: string };

/**
 * Opens what `from` names: a protocol, with options that say where, or a device of a gateway by name or equipment id.
 * @throws Error or DriverError saying what is missing and how to name it; no I/O yet but reading files.
 */
export async function openBench(io: Io, from: string, options: BenchOptions): Promise<Bench> {
  return protocols.includes(from) ? openDirect(io, from, options) : openKnown(io, from, options);
}

async function openDirect(io: Io, protocol: string, options: BenchOptions): Promise<Bench> {
  const { passwordFile } = options;
  const password =
    passwordFile === undefined ? undefined : readArgument(io, passwordFile).toString('utf8').trimEnd();
  const params = directParams(protocol, { ...options, ...(password !== undefined && { password }) });
  const template = options.template === undefined ? undefined : findTemplate(options.template, io.cwd);
  if (template && template.protocol !== protocol)
    throw new UsageError(`template ${template.id} is for ${template.protocol}, not for ${protocol}`);
  const points = template?.points.map((point): BenchPoint =>
    benchPoint({ ...point, id: point.key, name: point.key }),
  );
  return open(io, {
    ...{ name: protocol, protocol, connection: params.connection, points: points ?? [] },
    device: { ...template?.params, ...params.device },
    dataDir: join(stateDir(io), protocol),
  });
}

async function openKnown(io: Io, from: string, options: BenchOptions): Promise<Bench> {
  const home = homeOf(io, from, options.home);
  const { config, driverDir } = loadHome(home, io.env);
  const found = findDevice(config.connections, from);
  const { params, isStranger, isStandIn } = asGuest(found.connection.driver, found.connection.params);
  const others = found.connection.devices.filter((device) => device !== found.device);
  const points = found.device.points.map((point) =>
    benchPoint({ ...point, name: point.key ?? point.address }),
  );
  return open(io, {
    ...{ name: found.device.name, protocol: found.connection.driver, home, points },
    connection: params,
    device: found.device.params,
    siblings: isStandIn ? others.map((device) => device.params) : [],
    isReadOnly: isStandIn,
    dataDir: isStranger
      ? join(stateDir(io), found.connection.driver)
      : join(driverDir, encodeURIComponent(found.connection.id)),
  });
}

/** @throws UsageError where neither a protocol nor a gateway is named. */
function homeOf(io: Io, from: string, named: string | undefined): string {
  try {
    return gatewayHome(io, named);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${from} is no protocol (${protocols.join(', ')}); as a device: ${error.message}`);
  }
}

type Described = Omit<PointRef, 'pointId'> &
  Pick<BenchPoint, 'name' | 'unit' | 'resolution' | 'write'> & { readonly id: string };

const benchPoint = ({ id, name, unit, resolution, write, ...point }: Described): BenchPoint => ({
  ...{ name, unit, resolution, ref: refOf(id, point) },
  ...(write && { write }),
});

/** Nothing but what a driver asks for: what else a template or a configuration says stays here. */
const refOf = (
  pointId: string,
  { address, scale, kind, offset, limits, history }: Omit<PointRef, 'pointId'>,
): PointRef => ({
  ...{ pointId, address, scale, kind },
  ...(offset !== undefined && { offset }),
  ...(limits && { limits }),
  ...(history !== undefined && { history }),
});

interface Opening {
  readonly name: string;
  readonly protocol: string;
  readonly home?: string;
  readonly connection: unknown;
  readonly device: unknown;
  /** Parameters of the other devices that must be there as well. */
  readonly siblings?: readonly unknown[];
  readonly isReadOnly?: boolean;
  readonly dataDir: string;
  readonly points: readonly BenchPoint[];
}

async function open(
  io: Io,
  { connection, device, siblings = [], dataDir, isReadOnly = false, ...rest }: Opening,
): Promise<Bench> {
  const driver = await loadDriver(rest.protocol);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const opened = driver.openConnection(connection, { now: () => Date.now(), dataDir, log: logTo(io) });
  const devices: Driver[] = siblings.map((params) => opened.device(params));
  return {
    ...{ ...rest, isReadOnly },
    connection: opened,
    device() {
      const made = opened.device(device);
      devices.push(made);
      return made;
    },
    async close() {
      await Promise.allSettled(devices.map((one) => one.close()));
      await opened.close();
    },
  };
}

/** @throws UsageError listing the drivers there are. */
export async function loadDriver(protocol: string): Promise<DriverModule> {
  const url = driverModules.get(protocol);
  if (url === undefined)
    throw new UsageError(`no driver ${protocol}; there are ${[...driverModules.keys()].join(', ')}`);
  return ((await import(url)) as { driver: DriverModule }).driver;
}

/** @throws UsageError listing the devices there are. */
function findDevice(
  connections: readonly ConnectionConfig[],
  wanted: string,
): { connection: ConnectionConfig; device: DeviceConfig } {
  const all = connections.flatMap((connection) =>
    connection.devices.map((device) => ({ connection, device })),
  );
  const found = all.filter(({ device }) => device.name === wanted || device.equipmentId === wanted);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    const ids = found.map(({ device }) => device.equipmentId).join(', ');
    throw new UsageError(
      `${found.length} devices are called ${wanted}: name one by its equipment id: ${ids}`,
    );
  }
  const names = all.map(({ device }) => device.name).join(', ') || 'none';
  throw new UsageError(
    `${wanted} is neither a protocol (${protocols.join(', ')}) nor a device of this gateway (${names})`,
  );
}

/** What belongs to this installer and to no gateway: the certificate by which servers know them. */
const stateDir = ({ env }: Io): string =>
  join(env['XDG_STATE_HOME'] ?? join(env['HOME'] ?? homedir(), '.local', 'state'), 'parkline', 'bench');

/** Warnings of a driver are for the person at the bench; the rest only where asked for. */
function logTo({ err, env }: Io): DriverLog {
  const quiet = (): void => undefined;
  const say = (facts: object, message: string): void => {
    err(`${message} ${JSON.stringify(facts)}\n`);
  };
  return { debug: quiet, info: env['PARKLINE_DEBUG'] ? say : quiet, warn: say };
}

/**
 * The points that the words on the command line mean: of the known ones by name, address or id; else as addresses, unscaled.
 * All known ones when there are no words. @throws Error when that leaves none.
 */
export function choosePoints(bench: Pick<Bench, 'points' | 'name'>, words: readonly string[]): BenchPoint[] {
  const { points } = bench;
  if (words.length === 0 && points.length > 0) return [...points];
  if (words.length === 0)
    throw new UsageError(
      `which points of ${bench.name}? Name their addresses, or a --template that lists them`,
    );
  return words.map(
    (word) =>
      points.find(({ name, ref }) => name === word || ref.address === word || ref.pointId === word) ?? {
        ...{ name: word, unit: '', resolution: 1 },
        ref: { pointId: word, address: word, scale: 1, kind: 'gauge' },
      },
  );
}
