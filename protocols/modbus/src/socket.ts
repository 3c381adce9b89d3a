import { connect } from 'node:net';
import { DriverError } from '@parkline/kit';

/** A byte stream to the far end of a bus. */
export interface Link {
  write(bytes: Uint8Array): void;
  /** Ends it at once; `onClose` is not called for it. Safe when it is gone. */
  destroy(): void;
}

export interface LinkEvents {
  onData(bytes: Uint8Array): void;
  /** The far end, or the network, ended it. Called once at most. */
  onClose(why: string): void;
}

/** Opens a link. Rejects with DriverError 'lost' when nobody is there in time, 'aborted' when the signal says so. */
export type Dial = (events: LinkEvents, signal: AbortSignal) => Promise<Link>;

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/** A device that crashed without a word is noticed by the kernel after this, even when nobody polls. */
const KEEP_ALIVE_MS = 30_000;

/** Links over TCP. */
export function createTcpDial({ host, port, timeoutMs }: Endpoint): Dial {
  const where = `${host}:${port}`;
  return (events, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new DriverError('aborted', 'given up before it began', where));
      const socket = connect({
        host,
        port,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_MS,
      });
      let isOurs = false;

      const fail = (error: DriverError): void => {
        isOurs = true;
        signal.removeEventListener('abort', abort);
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const abort = (): void => fail(new DriverError('aborted', 'given up while connecting', where));
      const timer = setTimeout(
        () => fail(new DriverError('lost', `no connection in ${timeoutMs} ms`, where)),
        timeoutMs,
      );
      signal.addEventListener('abort', abort, { once: true });

      let lastError: Error | undefined;
      socket.on('error', (error) => {
        lastError = error; // `close` follows and tells it on.
      });
      socket.on('close', () => {
        if (isOurs) return;
        if (socket.connecting || !isUp)
          fail(new DriverError('lost', lastError?.message ?? 'refused', where, { cause: lastError }));
        else events.onClose(lastError?.message ?? 'the device hung up');
      });
      let isUp = false;
      socket.once('connect', () => {
        isUp = true;
        signal.removeEventListener('abort', abort);
        clearTimeout(timer);
        socket.on('data', (bytes) => events.onData(bytes));
        resolve({
          write: (bytes) => void socket.write(bytes),
          destroy: () => {
            isOurs = true;
            socket.destroy();
          },
        });
      });
    });
}
