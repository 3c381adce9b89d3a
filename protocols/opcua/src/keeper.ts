import { DriverError } from '@parkline/kit';
import type { Dial, Link } from './link.ts';
import { signalled, within } from './wait.ts';

/** The one link that all devices of a server share. */
export interface Keeper {
  /** The link, opened by whoever needs it first. @throws DriverError when there is none now. */
  link(signal: AbortSignal): Promise<Link>;
  close(): Promise<void>;
}

export interface KeeperDeps {
  readonly dial: Dial;
  readonly where: string;
  /** For the whole of opening. */
  readonly openMs: number;
}

export function createKeeper({ dial, where, openMs }: KeeperDeps): Keeper {
  let current: Promise<Link> | undefined;
  const stop = new AbortController();

  function open(): Promise<Link> {
    const opening: Promise<Link> = dial(() => forget(opening), stop.signal);
    opening.catch(() => forget(opening)); // The next one who asks tries anew.
    return opening;
  }
  function forget(link: Promise<Link>): void {
    if (current === link) current = undefined;
  }

  return {
    async link(signal) {
      signalled(signal, where);
      if (stop.signal.aborted) throw new DriverError('lost', 'the connection was closed', where);
      current ??= open();
      const link = await within(current, { signal, timeoutMs: openMs, where, what: 'connection' });
      if (link.down !== undefined) throw new DriverError('lost', link.down, where);
      return link;
    },
    async close() {
      stop.abort();
      const closing = current;
      current = undefined;
      const link = await closing?.catch(() => undefined); // What could not be opened needs no closing.
      await link?.close();
    },
  };
}
