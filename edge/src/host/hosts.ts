import { DriverError } from '@parkline/kit';
import { type Host, type HostDeps, startHost } from './host.ts';
import type { FieldModule } from './remote.ts';

/** The drivers of a gateway, each in its own thread. */
export interface Hosts {
  /** Starts the driver when its protocol is first named. @throws DriverError 'config' for a protocol nobody knows. */
  load(protocol: string): Promise<FieldModule>;
  close(): Promise<void>;
}

/** @param modules Protocol -> URL of the module that exports its `driver`. */
export function createHosts(modules: ReadonlyMap<string, string>, deps: HostDeps): Hosts {
  const hosts = new Map<string, Promise<Host>>();

  function start(protocol: string): Promise<Host> {
    const url = modules.get(protocol);
    if (url === undefined) {
      const known = [...modules.keys()].toSorted().join(', ') || 'none';
      throw new DriverError('config', `no driver ${protocol}; there are ${known}`, 'driver registry');
    }
    const starting = startHost(protocol, url, deps);
    hosts.set(protocol, starting);
    // A start that failed may be tried again: memory may have been short.
    starting.catch(() => hosts.delete(protocol));
    return starting;
  }

  return {
    async load(protocol) {
      return (await (hosts.get(protocol) ?? start(protocol))).module;
    },
    async close() {
      const started = await Promise.allSettled(hosts.values());
      await Promise.all(started.map(async (one) => one.status === 'fulfilled' && (await one.value.close())));
    },
  };
}
