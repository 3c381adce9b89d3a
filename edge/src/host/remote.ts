import type {
  DeviceEvent,
  Driver,
  DriverDeps,
  DriverLog,
  Found,
  FoundDevice,
  Sample,
  SearchRange,
  Written,
} from '@parkline/kit';
import type { Calls } from './calls.ts';
import type { Abilities } from './messages.ts';

/**
 * A driver as the gateway uses it: like the kit's DriverModule, which is one, but opening may take a message there and back.
 */
export interface FieldModule {
  readonly protocol: string;
  /** Throws or rejects with DriverError 'config' naming the bad field. */
  openConnection(params: unknown, deps: DriverDeps): FieldConnection | Promise<FieldConnection>;
}

export interface FieldConnection {
  /** Throws or rejects with DriverError 'config' naming the bad field. */
  device(params: unknown): Driver | Promise<Driver>;
  discover?(range: SearchRange, signal: AbortSignal): AsyncIterable<FoundDevice>;
  close(): Promise<void>;
}

/** The thread that stands behind the connections, as they see it. */
export interface Thread {
  /** The calls of the thread that runs now. @throws DriverError 'lost' while there is none. */
  calls(): Calls;
  /** Where the driver's log lines of connection `number` go. */
  onLog(number: number, log: DriverLog): void;
  /** A number nobody has. */
  number(): number;
}

/** Something the driver has opened, and opens again in a thread that knows nothing of it. */
function reopened<T>(thread: Thread, open: (calls: Calls) => Promise<T>) {
  let last: { readonly calls: Calls; readonly opened: Promise<T> } | undefined;
  return {
    /** @throws DriverError 'lost' while there is no thread, or what opening it throws. */
    async current(): Promise<{ calls: Calls; opened: T }> {
      const calls = thread.calls();
      if (last?.calls !== calls) last = { calls, opened: open(calls) };
      return { calls, opened: await last.opened };
    },
    /** Closing asks nothing of a thread that never opened it. */
    async close(work: (calls: Calls) => Promise<unknown>): Promise<void> {
      if (last) await work(last.calls).catch(() => undefined);
    },
  };
}

/** Opens a connection of the driver in `thread`. Rejects with what the driver says against `params`. */
export async function openRemote(
  thread: Thread,
  params: unknown,
  { dataDir, log }: Pick<DriverDeps, 'dataDir' | 'log'>,
): Promise<FieldConnection> {
  const connection = thread.number();
  thread.onLog(connection, log);
  const here = reopened(
    thread,
    (calls) => calls.call({ op: 'open', connection, params, dataDir }) as Promise<{ discover: boolean }>,
  );
  const { opened } = await here.current();
  return {
    device: (deviceParams) => openDevice(thread, connection, here, deviceParams),
    ...(opened.discover && {
      async *discover(range: SearchRange, signal: AbortSignal) {
        const { calls } = await here.current();
        yield* calls.stream({ op: 'discover', connection, range }, signal) as AsyncGenerator<FoundDevice>;
      },
    }),
    close: () => here.close((calls) => calls.call({ op: 'close-connection', connection })),
  };
}

async function openDevice(
  thread: Thread,
  connection: number,
  bus: { current(): Promise<unknown> },
  params: unknown,
): Promise<Driver> {
  const device = thread.number();
  const here = reopened(thread, async (calls) => {
    await bus.current();
    return (await calls.call({ op: 'device', connection, device, params })) as Abilities;
  });
  const { opened } = await here.current();
  return {
    async connect(signal) {
      await (await here.current()).calls.call({ op: 'connect', device }, signal);
    },
    async *browse(signal) {
      const { calls } = await here.current();
      yield* calls.stream({ op: 'browse', device }, signal) as AsyncGenerator<Found>;
    },
    async read(refs, signal) {
      return (await (await here.current()).calls.call({ op: 'read', device, refs }, signal)) as Sample[];
    },
    ...abilities(device, here, opened),
    close: () => here.close((calls) => calls.call({ op: 'close-device', device })),
  };
}

/** The methods a driver may lack: whoever uses it asks whether they are there. */
function abilities(
  device: number,
  here: { current(): Promise<{ calls: Calls }> },
  { subscribe, write, history, watchEvents }: Abilities,
): Pick<Driver, 'subscribe' | 'write' | 'history' | 'watchEvents'> {
  return {
    ...(subscribe && {
      async subscribe(refs, onSample, signal) {
        const { calls } = await here.current();
        await calls.listen(
          { op: 'subscribe', device, refs },
          (item) => {
            onSample(item as Sample);
          },
          signal,
        );
      },
    }),
    ...(write && {
      async write(order, signal) {
        return (await (await here.current()).calls.call({ op: 'write', device, order }, signal)) as Written;
      },
    }),
    ...(history && {
      async *history(ref, from, to, signal) {
        const { calls } = await here.current();
        yield* calls.stream({ op: 'history', device, ref, from, to }, signal) as AsyncGenerator<Sample[]>;
      },
    }),
    ...(watchEvents && {
      async watchEvents(onEvent, signal) {
        const { calls } = await here.current();
        await calls.listen(
          { op: 'watch', device },
          (item) => {
            onEvent(item as DeviceEvent);
          },
          signal,
        );
      },
    }),
  };
}
