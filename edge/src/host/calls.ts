import { DriverError } from '@parkline/kit';
import type { Wait } from '../base/clock.ts';
import { type Ask, type Down, restored, type Up } from './messages.ts';

/** A driver that was told to give up and says nothing is left behind after this time, ms. */
const LEAVE_MS = 5_000;

/** Calls to a driver in its thread, and what comes back. One for each life of the thread. */
export interface Calls {
  /** @throws what the driver threw, or DriverError 'lost' when its thread ended. */
  call(ask: Ask, signal?: AbortSignal): Promise<unknown>;
  /** A call that also brings items while it lasts. */
  listen(ask: Ask, onItem: (item: unknown) => void, signal: AbortSignal): Promise<void>;
  /** Items as they are asked for: the driver is never ahead of whoever reads. */
  stream(ask: Ask, signal: AbortSignal): AsyncGenerator<unknown>;
  take(message: Up): void;
  /** The thread is gone: whatever waits is rejected with `error`, and so is every later call. */
  end(error: DriverError): void;
}

interface Pending {
  readonly onItems: (items: readonly unknown[]) => void;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export function createCalls(post: (message: Down) => void, wait: Wait): Calls {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let ended: DriverError | undefined;

  function leave(id: number): void {
    const left = new DriverError('timeout', 'the driver neither answers nor gives up', 'driver');
    pending.get(id)?.reject(left);
  }

  async function run(
    begin: (id: number) => void,
    onItems: Pending['onItems'],
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    if (ended) throw ended;
    const id = (lastId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const over = new AbortController();
    const onAbort = (): void => {
      if (!ended) post({ type: 'abort', id });
      void wait(LEAVE_MS, over.signal).then(() => {
        leave(id);
      });
    };
    pending.set(id, { onItems, resolve, reject });
    begin(id);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      pending.delete(id);
      signal?.removeEventListener('abort', onAbort);
      over.abort();
    }
  }

  const asking = (ask: Ask) => (id: number) => {
    post({ type: 'ask', id, ask });
  };
  const nobody = (): void => undefined;

  return {
    call: (ask, signal) => run(asking(ask), nobody, signal),
    async listen(ask, onItem, signal) {
      await run(
        asking(ask),
        (items) => {
          items.forEach(onItem);
        },
        signal,
      );
    },
    stream: (ask, signal) => pull(run, post, ask, signal),
    take(message) {
      if (message.type === 'items') pending.get(message.id)?.onItems(message.items);
      else if (message.type === 'done') pending.get(message.id)?.resolve(message.value);
      else if (message.type === 'failed') pending.get(message.id)?.reject(restored(message.error));
    },
    end(error) {
      ended = error;
      for (const { reject } of pending.values()) reject(error);
    },
  };
}

type Run = (
  begin: (id: number) => void,
  onItems: Pending['onItems'],
  signal: AbortSignal,
) => Promise<unknown>;

async function* pull(
  run: Run,
  post: (message: Down) => void,
  ask: Ask,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  const stop = new AbortController();
  let id = 0;
  let arrived = Promise.withResolvers<readonly unknown[]>();
  const end = run(
    (given) => {
      id = given;
      post({ type: 'ask', id, ask });
    },
    (items) => {
      arrived.resolve(items);
    },
    AbortSignal.any([signal, stop.signal]),
  ).then(() => undefined);
  end.catch(() => undefined); // It is raced below, and nobody may be racing when it fails.
  try {
    for (;;) {
      post({ type: 'next', id });
      const items = await Promise.race([arrived.promise, end]);
      if (!items) return;
      arrived = Promise.withResolvers();
      yield* items;
    }
  } finally {
    stop.abort();
  }
}
