import type { Connection, Driver, DriverModule } from '@parkline/kit';
import { type Abilities, type Ask, type Down, type LogLevel, plainOf, type Up } from './messages.ts';

/** The driver's end of the messages. */
export interface Server {
  /** Takes one message of the gateway. Never throws: what goes wrong is the answer. */
  take(message: Down): void;
}

/** Runs the calls that arrive on the driver itself. `send` must keep the order. */
export function createServer(module: DriverModule, now: () => number, send: (message: Up) => void): Server {
  const connections = new Map<number, Connection>();
  const devices = new Map<number, Driver>();
  const running = new Map<number, AbortController>();
  const streams = new Map<number, AsyncIterator<unknown>>();

  const found = <T>(all: ReadonlyMap<number, T>, key: number): T => {
    const one = all.get(key);
    if (!one) throw new Error(`the gateway names ${key}, which it has not opened`);
    return one;
  };

  /** Drivers log whatever they like, and not all of it can travel. */
  function say(connection: number, level: LogLevel, facts: object, message: string): void {
    try {
      send({ type: 'log', connection, level, facts: portable(facts), message });
    } catch {
      send({ type: 'log', connection, level, facts: {}, message });
    }
  }

  function open({ connection, params, dataDir }: Ask & { op: 'open' }): { discover: boolean } {
    const opened = module.openConnection(params, {
      now,
      dataDir,
      log: {
        debug: (facts, message) => {
          say(connection, 'debug', facts, message);
        },
        info: (facts, message) => {
          say(connection, 'info', facts, message);
        },
        warn: (facts, message) => {
          say(connection, 'warn', facts, message);
        },
      },
    });
    connections.set(connection, opened);
    return { discover: opened.discover !== undefined };
  }

  function device({ connection, device: number, params }: Ask & { op: 'device' }): Abilities {
    const made = found(connections, connection).device(params);
    devices.set(number, made);
    return {
      subscribe: made.subscribe !== undefined,
      write: made.write !== undefined,
      history: made.history !== undefined,
      watchEvents: made.watchEvents !== undefined,
    };
  }

  /** Collects what is pushed in one turn of the loop into one message. */
  function pusher(id: number): { push: (item: unknown) => void; flush: () => void } {
    let waiting: unknown[] = [];
    const flush = (): void => {
      if (waiting.length > 0) send({ type: 'items', id, items: waiting });
      waiting = [];
    };
    return {
      flush,
      push(item) {
        if (waiting.length === 0) setImmediate(flush);
        waiting.push(item);
      },
    };
  }

  async function told(id: number, listen: (tell: (item: unknown) => void) => Promise<void> | undefined) {
    const { push, flush } = pusher(id);
    try {
      await listen(push);
    } finally {
      flush(); // What was told before the end arrives before the end.
    }
  }

  function streamOf(ask: Ask, signal: AbortSignal): AsyncIterable<unknown> | undefined {
    if (ask.op === 'browse') return found(devices, ask.device).browse(signal);
    if (ask.op === 'history') return found(devices, ask.device).history?.(ask.ref, ask.from, ask.to, signal);
    if (ask.op === 'discover') return found(connections, ask.connection).discover?.(ask.range, signal);
    return undefined;
  }

  async function run(id: number, ask: Ask, signal: AbortSignal): Promise<unknown> {
    if (ask.op === 'open') return open(ask);
    if (ask.op === 'device') return device(ask);
    if (ask.op === 'connect') return found(devices, ask.device).connect(signal);
    if (ask.op === 'read') return found(devices, ask.device).read(ask.refs, signal);
    if (ask.op === 'write') return found(devices, ask.device).write?.(ask.order, signal);
    if (ask.op === 'subscribe')
      return told(id, (tell) => found(devices, ask.device).subscribe?.(ask.refs, tell, signal));
    if (ask.op === 'watch') return told(id, (tell) => found(devices, ask.device).watchEvents?.(tell, signal));
    if (ask.op === 'close-device') {
      const closing = devices.get(ask.device)?.close();
      devices.delete(ask.device);
      return closing;
    }
    if (ask.op === 'close-connection') {
      const closing = connections.get(ask.connection)?.close();
      connections.delete(ask.connection);
      return closing;
    }
    throw new Error(`no such call: ${ask.op}`);
  }

  /** Ends a call with the outcome of `work`. */
  async function settle(id: number, work: () => Promise<unknown>): Promise<void> {
    try {
      const value = await work();
      running.delete(id);
      send({ type: 'done', id, value });
    } catch (error) {
      running.delete(id);
      streams.delete(id);
      send({ type: 'failed', id, error: plainOf(error) });
    }
  }

  function begin(id: number, ask: Ask): void {
    const stop = new AbortController();
    running.set(id, stop);
    const isStream = ask.op === 'browse' || ask.op === 'history' || ask.op === 'discover';
    if (!isStream) {
      void settle(id, () => run(id, ask, stop.signal));
      return;
    }
    try {
      const items = streamOf(ask, stop.signal);
      if (items) streams.set(id, items[Symbol.asyncIterator]());
    } catch (error) {
      send({ type: 'failed', id, error: plainOf(error) });
    }
  }

  /** One item, or the end. */
  async function next(id: number): Promise<void> {
    const stream = streams.get(id);
    if (!stream) return;
    try {
      const { done, value } = await stream.next();
      if (done !== true) {
        send({ type: 'items', id, items: [value] });
        return;
      }
      await settle(id, () => Promise.resolve(undefined));
    } catch (error) {
      await settle(id, () => Promise.reject(error as Error));
    }
    streams.delete(id);
  }

  return {
    take(message) {
      if (message.type === 'ask') begin(message.id, message.ask);
      else if (message.type === 'next') void next(message.id);
      else {
        running.get(message.id)?.abort();
        if (streams.delete(message.id)) running.delete(message.id);
      }
    },
  };
}

/** Errors keep their message, everything else what JSON would keep. */
function portable(facts: object): object {
  return Object.fromEntries(
    Object.entries(facts).map(([key, value]) => [
      key,
      value instanceof Error ? plainOf(value) : (JSON.parse(JSON.stringify(value ?? null)) as unknown),
    ]),
  );
}
