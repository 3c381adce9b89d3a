import type { DriverModule } from './driver.ts';
import { DriverError } from './errors.ts';

/** Loads a driver package; called at most once, when a connection first names its protocol. */
export type DriverLoader = () => Promise<{ readonly driver: DriverModule }>;

export interface DriverRegistry {
  /** @throws DriverError 'config' for a name nobody registered (it lists those there are) or a package of another protocol. */
  load(protocol: string): Promise<DriverModule>;
}

/**
 * The drivers a gateway knows, by protocol. A pair list, not an object, so that two drivers of one name are noticed.
 * @throws DriverError 'config' when a name is there twice.
 */
export function createRegistry(
  loaders: readonly (readonly [protocol: string, loader: DriverLoader])[],
): DriverRegistry {
  const known = new Map<string, DriverLoader>();
  for (const [protocol, loader] of loaders) {
    if (known.has(protocol))
      throw config(`driver ${protocol} is registered twice; there are ${names(known)}`);
    known.set(protocol, loader);
  }
  const loaded = new Map<string, Promise<DriverModule>>();

  async function loadOnce(protocol: string, loader: DriverLoader): Promise<DriverModule> {
    const { driver } = await loader();
    if (driver.protocol !== protocol) throw config(`driver ${protocol} calls itself ${driver.protocol}`);
    return driver;
  }

  return {
    async load(protocol) {
      const loader = known.get(protocol);
      if (!loader) throw config(`no driver ${protocol}; there are ${names(known)}`);
      const running = loaded.get(protocol) ?? loadOnce(protocol, loader);
      loaded.set(protocol, running);
      return running;
    },
  };
}

const names = (known: ReadonlyMap<string, unknown>): string => [...known.keys()].sort().join(', ') || 'none';
const config = (message: string): DriverError => new DriverError('config', message, 'driver registry');
