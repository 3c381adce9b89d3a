import { setTimeout as sleep } from 'node:timers/promises';
import { InMemoryCertificateStore } from 'node-opcua-common';
import { setErrorLogger, setWarningLogger } from 'node-opcua-debug';
import { OPCUAServer, RegisterServerMethod } from 'node-opcua-server';
import { type StatusCode, StatusCodes } from 'node-opcua-status-code';
import type { FaultKind } from '../faults.ts';
import type { BusPlace } from '../ports.ts';
import type { OpcuaTable } from '../tables/opcua-table.ts';
import type { BusServer, BusServerDeps, ServedDevice } from './bus-server.ts';
import { keepIdentity } from './opcua-certificate.ts';
import { type Cell, createCells } from './opcua-cell.ts';
import { addDevice, type Answer, type Obey, SIM_NAMESPACE } from './opcua-space.ts';
import { createToldLog } from './opcua-told.ts';

/** A device that keeps silent looks this often whether it may speak again, ms. */
const SILENCE_STEP_MS = 500;

export interface OpcuaServerDeps extends BusServerDeps<OpcuaTable> {
  /** Passwords by user name; anybody may come in without a name when absent. */
  readonly users?: ReadonlyMap<string, string>;
  /** Certificates (DER) of people who may come in with one; nobody when absent. */
  readonly userCertificates?: readonly Buffer[];
  /** The most that one request may ask for, as small controllers have it; the library's own limits when absent. */
  readonly limits?: { readonly read?: number; readonly browse?: number; readonly monitor?: number };
}

/**
 * One OPC UA server with an object for each device and a variable below it for each row of its table. Variables are
 * sampled when they are asked for or monitored. Every client's certificate is accepted. What was written and what is kept
 * outlives closing, as in a controller that loses its network; sessions and subscriptions do not.
 */
export function createOpcuaServer(deps: OpcuaServerDeps): BusServer {
  setWarningLogger(ignore); // What a client does wrong is no news to a device.
  setErrorLogger(ignore);
  const devices = deps.devices.map((device) => ({ root: rootOf(device), cells: createCells(device) }));
  const twice = devices.find(({ root }, index) => devices.findIndex((other) => other.root === root) < index);
  if (twice) throw new Error(`bus ${deps.bus}: two devices at root ${twice.root}`);
  let running: { server: OPCUAServer; stop: AbortController } | undefined;

  return {
    async listen({ host, port }) {
      const { fingerprint, ...files } = await keepIdentity(deps.dataDir, applicationUri(deps.bus));
      const cells = new Map<string, Cell>();
      const struck = new Map<Cell, FaultKind>();
      const told = createToldLog({ ...deps, cells, faultOf: (cell) => struck.get(cell) });
      const server = new OPCUAServer({
        ...serverOptions(deps, host, port),
        ...files,
        onCreateMonitoredItem: async (subscription, { clientHandle, node }) => {
          if (node) told.watch(subscription, { clientHandle, nodeId: node.nodeId });
          return StatusCodes.Good;
        },
      });
      const stop = new AbortController();
      await server.initialize();
      const conduct = {
        answer: createAnswer(deps, struck, stop.signal),
        obey: createObey(deps),
        now: deps.now,
      };
      for (const { root, cells: own } of devices) addDevice(server, { root, own, cells }, conduct);
      told.attach(server);
      try {
        await server.start();
      } catch (error) {
        await server.shutdown(0);
        throw error;
      }
      running = { server, stop };
      return { host, port: server.endpoints[0]?.port ?? port, fingerprint } satisfies BusPlace;
    },
    async close() {
      const closing = running;
      running = undefined;
      closing?.stop.abort();
      await closing?.server.shutdown(0);
    },
  };
}

const applicationUri = (bus: string): string => `${SIM_NAMESPACE}:${bus}`;

function rootOf({ key, address }: ServedDevice<OpcuaTable>): string {
  const root = (address as { root?: unknown } | null)?.root;
  if (typeof root === 'string' && root !== '') return root;
  throw new Error(`${key}: address must be { root: <name> }, it is ${JSON.stringify(address)}`);
}

/** Loopback only, no announcement to discovery servers, no watching of folders: certificates are kept in memory. */
function serverOptions(
  { bus, users, userCertificates = [], limits = {} }: OpcuaServerDeps,
  host: string,
  port: number,
) {
  return {
    host,
    hostname: host,
    port,
    serverInfo: { applicationUri: applicationUri(bus), applicationName: { text: 'Parkline simulator' } },
    // Typed for stores on disk, though any store will do: certificates of clients, and those of people.
    serverCertificateManager: new InMemoryCertificateStore() as never,
    userCertificateManager: peopleStore(userCertificates) as never,
    registerServerMethod: RegisterServerMethod.HIDDEN,
    allowAnonymous: users === undefined,
    userManager: { isValidUser: (name: string, password: string) => users?.get(name) === password },
    maxConnectionsPerEndpoint: 100,
    serverCapabilities: {
      ...{ maxSessions: 100, maxSubscriptionsPerSession: 100, maxSubscriptions: 1_000 },
      operationLimits: {
        ...(limits.read && { maxNodesPerRead: limits.read }),
        ...(limits.browse && { maxNodesPerBrowse: limits.browse }),
        ...(limits.monitor && { maxMonitoredItemsPerCall: limits.monitor }),
      },
    },
  };
}

/** Knows people by their certificates. The server asks for people's with a callback and for clients' with a promise. */
function peopleStore(known: readonly Buffer[]) {
  const check = (shown: Buffer, done: (error: null, status: StatusCode) => void): void =>
    done(
      null,
      known.some((one) => one.equals(shown)) ? StatusCodes.Good : StatusCodes.BadCertificateUntrusted,
    );
  return Object.assign(new InMemoryCertificateStore(), { checkCertificate: check });
}

/** A warning of the library. */
const ignore = (): void => undefined;

/** What a variable says when it is asked, as the faults in force let it. Rejects when `signal` aborts meanwhile. */
function createAnswer(deps: OpcuaServerDeps, struck: Map<Cell, FaultKind>, signal: AbortSignal): Answer {
  const { bus, faults, log, now } = deps;
  const strike = ({ device, row }: Cell): FaultKind | undefined =>
    faults.strike({ bus, device, quantity: row.quantity });
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal, ref: false });

  /** Holds the answer back while silence is in force; a rule that strikes n times holds it n steps. */
  async function keepSilent(cell: Cell): Promise<FaultKind | undefined> {
    log.write({ t: now(), bus, device: cell.device, op: 'read', values: {}, outcome: 'silence' });
    let fault: FaultKind | undefined;
    do {
      await pause(SILENCE_STEP_MS);
      fault = strike(cell);
    } while (fault?.kind === 'silence');
    return fault;
  }

  return async (cell) => {
    let fault = strike(cell);
    if (fault?.kind === 'silence') fault = await keepSilent(cell);
    if (fault?.kind === 'delay') await pause(fault.ms);
    if (fault?.kind === 'delay' || fault?.kind === 'refuse') struck.set(cell, fault);
    else struck.delete(cell);
    return { t: now(), isRefused: fault?.kind === 'refuse' };
  };
}

/** What a variable does with what it is told to show: it shows it from now on, unless it is refused. */
function createObey({ bus, faults, log, now }: OpcuaServerDeps): Obey {
  return (cell, raw) => {
    const { device, row } = cell;
    const isRefused = faults.strike({ bus, device, quantity: row.quantity })?.kind === 'refuse';
    const t = now();
    if (!isRefused) cell.override(raw, t);
    const values = { [row.quantity]: cell.valueOf(raw) };
    log.write({ t, bus, device, op: 'write', values, outcome: isRefused ? 'refuse' : 'ok' });
    return !isRefused;
  };
}
