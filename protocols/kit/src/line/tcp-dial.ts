import { connect, type Socket } from 'node:net';
import { DriverError } from '../errors.ts';
import type { ByteLine, Dial, LineEvents } from './byte-line.ts';
import { startDeadline } from './deadline.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** For connecting. */
  readonly timeoutMs: number;
}

/** A device that crashed without a word is noticed by the kernel after this, even when nobody polls. */
const KEEP_ALIVE_MS = 30_000;

/** Lines over TCP. */
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
      let lastError: Error | undefined;

      const settle = (): void => {
        signal.removeEventListener('abort', abort);
        stop();
        socket.off('close', refused);
      };
      const fail = (error: DriverError): void => {
        settle();
        socket.destroy();
        reject(error);
      };
      const abort = (): void => fail(new DriverError('aborted', 'given up while connecting', where));
      const refused = (): void =>
        fail(new DriverError('lost', lastError?.message ?? 'refused', where, { cause: lastError }));
      const stop = startDeadline(timeoutMs, () =>
        fail(new DriverError('lost', `no connection in ${timeoutMs} ms`, where)),
      );
      signal.addEventListener('abort', abort, { once: true });
      socket.on('error', (error) => {
        lastError = error; // `close` follows and tells it on.
      });
      socket.on('close', refused);
      socket.once('connect', () => {
        settle();
        resolve(lineOf(socket, events, () => lastError));
      });
    });
}

function lineOf(socket: Socket, events: LineEvents, lastError: () => Error | undefined): ByteLine {
  const onClose = (): void => events.onClose(lastError()?.message ?? 'the device hung up');
  socket.on('close', onClose);
  socket.on('data', (bytes) => events.onData(bytes));
  return {
    write: (bytes) => void socket.write(bytes),
    drain: () => new Promise((resolve) => void socket.write('', () => resolve())),
    flush: () => Promise.resolve(), // A socket tells everything as it comes.
    destroy() {
      socket.off('close', onClose);
      socket.destroy();
      return Promise.resolve();
    },
  };
}
