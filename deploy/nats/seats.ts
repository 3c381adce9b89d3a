import { isIP } from 'node:net';
import { posix } from 'node:path';

/** A server and the names and addresses by which it is dialled. */
export interface NamedServer {
  readonly name: string;
  readonly hosts: readonly string[];
}

/** What a server has for itself: no two on one machine may share any of it. */
export interface Seat {
  /** Address that it listens at. */
  readonly address: string;
  readonly port: number;
  readonly clusterPort: number;
  readonly httpPort: number;
  /** Folder on its machine with what is in `server-<name>` here. */
  readonly configDir: string;
  /** Folder on its machine for streams and account JWTs. */
  readonly dataDir: string;
}
export type SeatedServer = NamedServer & Seat;
/** The seat of a server that has a machine to itself. */
export type WholeSeat = Omit<Seat, 'address'>;

/** Servers that cannot live where they are said to; the message names the arguments. */
export class SeatError extends Error {
  override readonly name = 'SeatError';
}

const HIGHEST_PORT = 65_535;
const LOOPBACK = 'loopback';
const isLoopback = (host: string): boolean => /^(localhost|::1|127(\.\d+){3})$/i.test(host);
/** The first host is the server's own; loopback of whatever address is one machine. */
const machineOf = ({ hosts: [own = ''] }: NamedServer): string =>
  isLoopback(own) ? LOOPBACK : own.toLowerCase();

/**
 * Gives each server its place. Those that share a machine take ports one after another and a folder each, and listen at loopback
 * when they are dialled there. Pure.
 * @throws SeatError.
 */
export function seatsOf(servers: readonly NamedServer[], whole: WholeSeat): SeatedServer[] {
  const machines = Map.groupBy(servers, machineOf);
  const twice = servers.find(({ name }, n) => servers.findIndex((one) => one.name === name) < n);
  if (twice) throw new SeatError(`--server ${twice.name} is named twice`);
  const alone = machines.get(LOOPBACK)?.[0];
  if (alone && machines.size > 1)
    throw new SeatError(
      `--server ${alone.name}=${alone.hosts[0]}: the servers on other machines cannot reach loopback; write an address that they can`,
    );
  const seated = servers.map((server) => {
    const neighbours = machines.get(machineOf(server)) ?? [];
    if (neighbours.length > 1) return seatAmong(neighbours, server, whole);
    return { ...server, ...whole, address: '0.0.0.0' };
  });
  for (const server of seated) requireOwnPorts(server, seated);
  return seated;
}

function seatAmong(neighbours: readonly NamedServer[], server: NamedServer, whole: WholeSeat): SeatedServer {
  const n = neighbours.indexOf(server);
  const own = server.hosts[0] ?? '';
  return {
    ...server,
    address: isLoopback(own) ? own : '0.0.0.0',
    port: whole.port + n,
    clusterPort: whole.clusterPort + n,
    httpPort: whole.httpPort + n,
    configDir: posix.join(whole.configDir, `server-${server.name}`),
    dataDir: posix.join(whole.dataDir, server.name),
  };
}

const portsOf = ({ port, clusterPort, httpPort }: Seat): number[] => [port, clusterPort, httpPort];

/** @throws SeatError when a neighbour has one of its ports, or it has one twice. */
function requireOwnPorts(server: SeatedServer, all: readonly SeatedServer[]): void {
  const here = all.filter((one) => machineOf(one) === machineOf(server)).flatMap(portsOf);
  const wrong = portsOf(server).find(
    (port) => port > HIGHEST_PORT || here.filter((other) => other === port).length > 1,
  );
  if (wrong === undefined) return;
  throw new SeatError(
    `--port, --cluster-port and --http-port: the servers on one machine count up from each, and port ${wrong} is ${
      wrong > HIGHEST_PORT ? 'above 65535' : 'taken twice'
    }`,
  );
}

/** `host:port`, as addresses of the sixth version need it. */
export const dialled = (host: string, port: number): string =>
  `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
