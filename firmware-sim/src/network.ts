import { type BusDeps, createBus } from './buses.ts';
import type { Bus } from './park.ts';
import type { BusPlace, Ports } from './ports.ts';
import type { SetPresence } from './scenario-player.ts';
import type { BusServer } from './servers/bus-server.ts';

export const HOST = '127.0.0.1';

/** All buses of a park on loopback. Every method rejects for a bus that is none. */
export interface Network {
  /** Binds every bus, on its place of `wanted` or a free one. Rejects naming a port that is taken. */
  open(wanted: Ports): Promise<Ports>;
  /** Takes a bus off the network, and back on its old port. */
  unplug(bus: string): Promise<void>;
  plug(bus: string): Promise<void>;
  readonly setPresence: SetPresence;
  close(): Promise<void>;
}

export function createNetwork(buses: readonly Bus[], deps: BusDeps): Network {
  const servers = new Map<string, BusServer>();
  const places = new Map<string, BusPlace>();
  const serverOf = (bus: string): BusServer => {
    const server = servers.get(bus);
    if (!server) throw new Error(`no bus ${bus}; there are ${buses.map(({ key }) => key).join(', ')}`);
    return server;
  };
  return {
    async open(wanted) {
      for (const bus of buses) servers.set(bus.key, await createBus(bus, deps));
      for (const [key, server] of servers) {
        const place = wanted[key] ?? { host: HOST, port: 0 };
        places.set(key, await server.listen(place).catch(taken(key, place.port)));
      }
      return Object.fromEntries(places);
    },
    unplug: async (bus) => serverOf(bus).close(),
    plug: async (bus) => void (await serverOf(bus).listen(places.get(bus) ?? { host: HOST, port: 0 })),
    async setPresence(bus, device, isThere) {
      const server = serverOf(bus);
      const move = isThere ? server.join : server.leave;
      if (!move) throw new Error(`${device} cannot leave ${bus}: its devices share one server`);
      await move(device);
    },
    async close() {
      await Promise.all([...servers.values()].map((server) => server.close()));
    },
  };
}

/** @returns a handler that rethrows, saying what could not listen where. */
export const taken = (key: string, port: number) => (cause: unknown) => {
  throw new Error(`${key} cannot listen on port ${port}`, { cause });
};
