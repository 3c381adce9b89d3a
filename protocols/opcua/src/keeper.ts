import { createBackOff, DriverError } from '@parkline/kit';
import type { Dial, Link } from './link.ts';
import { signalled, within } from './wait.ts';

/** The one link that all devices of a server share. */
export interface Keeper {
  /** The link, opened by whoever needs it first. @throws DriverError when there is none now; soon after a failure the same again. */
  link(signal: AbortSignal): Promise<Link>;
  close(): Promise<void>;
}

export interface KeeperDeps {
  readonly dial: Dial;
  readonly where: string;
  /** For the whole of opening. */
  readonly openMs: number;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** A server that lets nobody in is left alone for a while: it may count failed logins, and a handshake costs it much. */
const DIAL_AGAIN = { firstMs: 500, mostMs: 10_000 };

export function createKeeper({ dial, where, openMs, now, random }: KeeperDeps): Keeper {
  const dialling = createBackOff(DIAL_AGAIN, now, random);
  let failure: unknown;
  let current: Promise<Link> | undefined;
  const stop = new AbortController();

  function open(): Promise<Link> {
    const opening: Promise<Link> = dial(() => forget(opening), stop.signal);
    opening.then(dialling.succeed, (error: unknown) => {
      failure = error;
      dialling.fail();
      forget(opening);
    });
    return opening;
  }
  function forget(link: Promise<Link>): void {
    if (current === link) current = undefined;
  }

  return {
    async link(signal) {
      signalled(signal, where);
      if (stop.signal.aborted) throw new DriverError('lost', 'the connection was closed', where);
      if (!current && dialling.waitMs() > 0) throw failure;
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
