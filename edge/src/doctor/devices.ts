import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayHealth } from '@parkline/contract';
import type { Connection, Driver, DriverModule } from '@parkline/kit';
import { asGuest } from '../bench/guest.ts';
import { adviceFor, isInUse } from '../bench/run.ts';
import type { ConnectionConfig, DeviceConfig } from '../config/schema.ts';
import { fail, type Finding, ok, skipped, warn } from './check.ts';

export interface DeviceCheckDeps {
  readonly loadDriver: (protocol: string) => Promise<DriverModule>;
  /** Folder of the gateway for what drivers keep. */
  readonly driverDir: string;
  /** What the running gateway says of itself; undefined when none runs. */
  readonly health: GatewayHealth | undefined;
  /** Longest time for one device, ms. */
  readonly limitMs: number;
}

/**
 * Asks every device of a connection for all its points, one after the other. Yields as they answer. Takes nothing from the
 * gateway, whether it runs or not.
 */
export async function* checkConnection(
  { id, driver: protocol, params: own, devices }: ConnectionConfig,
  deps: DeviceCheckDeps,
): AsyncGenerator<Finding> {
  const { params, isStranger } = asGuest(protocol, own);
  const folder = isStranger ? mkdtempSync(join(tmpdir(), 'parkline-doctor-')) : undefined;
  let connection;
  try {
    const module = await deps.loadDriver(protocol);
    const dataDir = folder ?? join(deps.driverDir, encodeURIComponent(id));
    const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    connection = module.openConnection(params, { now: () => Date.now(), dataDir, log: silent });
  } catch (error) {
    removeFolder(folder);
    yield fail(`connection ${id}`, messageOf(error), adviceFor(error));
    for (const { name } of devices)
      yield skipped(`device ${name}`, `not asked: connection ${id} cannot be opened`);
    return;
  }
  try {
    // All of them before the first is asked: what was told of any must find its device.
    const opened = devices.map((device) => openDevice(connection, device));
    for (const [n, device] of devices.entries()) yield await checkDevice(opened[n]!, device, deps);
  } finally {
    await connection.close();
    removeFolder(folder);
  }
}

const removeFolder = (folder: string | undefined): void => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
};

/** The device, or why there is none. */
type Opened = { readonly driver: Driver } | { readonly error: unknown };

function openDevice(connection: Connection, { params }: DeviceConfig): Opened {
  try {
    return { driver: connection.device(params) };
  } catch (error) {
    return { error };
  }
}

async function checkDevice(opened: Opened, device: DeviceConfig, deps: DeviceCheckDeps): Promise<Finding> {
  const check = `device ${device.name}`;
  if ('error' in opened) return fail(check, messageOf(opened.error), adviceFor(opened.error));
  const { driver } = opened;
  try {
    return await readAll(check, driver, device, deps.limitMs);
  } catch (error) {
    const said = isInUse(error) ? wordOfGateway(check, device, deps.health) : undefined;
    return said ?? fail(check, messageOf(error), adviceFor(error));
  } finally {
    await driver.close();
  }
}

async function readAll(
  check: string,
  driver: Driver,
  { points }: DeviceConfig,
  limitMs: number,
): Promise<Finding> {
  const refs = points.map(({ id, address, scale, kind }) => ({ pointId: id, address, scale, kind }));
  const began = performance.now();
  const samples = await driver.read(refs, AbortSignal.timeout(limitMs));
  const tookMs = Math.round(performance.now() - began);
  const bad = samples.filter(({ quality }) => quality === 'bad');
  if (bad.length === 0) return ok(check, `answers in ${tookMs} ms, ${samples.length} points good`);
  const [first] = bad;
  const address = points.find(({ id }) => id === first?.pointId)?.address ?? '';
  const found = `answers, ${bad.length} of ${samples.length} points are bad; ${address}: ${first?.why ?? 'no reason'}`;
  return warn(
    check,
    found,
    'compare the addresses of the template with what the device holds (parkline browse)',
  );
}

/** A gateway that runs holds what cannot be opened twice; then its word counts. */
function wordOfGateway(
  check: string,
  { equipmentId }: DeviceConfig,
  health: GatewayHealth | undefined,
): Finding | undefined {
  const device = health?.devices.find((one) => one.equipmentId === equipmentId);
  if (!device) return undefined;
  const last = device.lastOkAt === null ? 'never' : new Date(device.lastOkAt).toISOString();
  if (device.state === 'online') return ok(check, `the running gateway hears it, last ${last}`);
  const found = `the running gateway does not hear it: ${device.error ?? device.state}; last ${last}`;
  return fail(check, found, 'check whether it is on, its address and its login');
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
