import { read } from 'node:fs';
import { promisify } from 'node:util';
import type { SerialPort as SerialPortClass } from 'serialport';
import { DriverError } from '../errors.ts';
import type { ByteLine, Dial, LineEvents } from './byte-line.ts';
import { createEchoFilter } from './echo.ts';
import { serialName, type SerialSettings } from './serial-settings.ts';

/** An open port of the library's binding for this system. */
type Port = Awaited<ReturnType<(typeof SerialPortClass)['binding']['open']>>;

const readAt = promisify(read);
const BUFFER_BYTES = 4_096;

/** Lines over a serial port, opened for this process alone. The library is loaded with the first one. */
export function createSerialDial(settings: SerialSettings): Dial {
  const where = serialName(settings);
  return async (events, signal) => {
    const given = (): DriverError => new DriverError('aborted', 'given up while opening', where);
    if (signal.aborted) throw given();
    const port = await open(settings, where);
    if (signal.aborted) {
      await port.close();
      throw given();
    }
    return lineOf(port, settings.echo === true, events);
  };
}

async function open(settings: SerialSettings, where: string): Promise<Port> {
  const { path, baudRate, dataBits, parity, stopBits } = settings;
  try {
    const { SerialPort } = await import('serialport');
    return await SerialPort.binding.open({ path, baudRate, dataBits, parity, stopBits, lock: true });
  } catch (cause) {
    throw new DriverError('lost', said(cause), where, { cause });
  }
}

function lineOf(port: Port, hasEcho: boolean, events: LineEvents): ByteLine {
  const echo = hasEcho ? createEchoFilter() : undefined;
  let isOver = false;
  let writing: Promise<unknown> = Promise.resolve();

  function end(why?: string): void {
    if (isOver) return;
    isOver = true;
    wake(port); // The reader closes the port: the file must not be closed, and its number given away, under a running read.
    if (why !== undefined) events.onClose(why);
  }

  async function listen(): Promise<void> {
    const buffer = Buffer.alloc(BUFFER_BYTES);
    while (!isOver) {
      const count = await readSome(port, buffer, () => isOver);
      if (isOver) return;
      if (count === 0) return end('the port is gone');
      const bytes = Uint8Array.from(buffer.subarray(0, count));
      const heard = echo ? echo.heard(bytes) : bytes;
      if (!heard) return end('what came back is not what was sent: two spoke at once, or there is no echo');
      if (heard.length > 0) events.onData(heard);
    }
  }
  const ended = listen()
    .catch((error: unknown) => end(said(error)))
    .then(() => writing)
    .then(() => port.close())
    .catch(() => undefined); // A port that was pulled out may not even close.

  return {
    write(bytes) {
      echo?.sent(bytes);
      writing = writing
        .then(() => (isOver ? undefined : port.write(Buffer.from(bytes))))
        .catch((error: unknown) => end(said(error)));
    },
    async drain() {
      await writing;
      if (!isOver) await port.drain().catch((error: unknown) => end(said(error)));
    },
    async flush() {
      echo?.forget();
      if (!isOver) await port.flush().catch((error: unknown) => end(said(error)));
    },
    destroy() {
      end();
      return ended;
    },
  };
}

/**
 * Bytes that are there, at least one; 0 when the port is gone. The library's own reading asks a port that was pulled out for ever,
 * because the system says "nothing" at once: on systems with file descriptors this reads itself.
 */
async function readSome(port: Port, buffer: Buffer, isOver: () => boolean): Promise<number> {
  if (!('poller' in port)) return (await port.read(buffer, 0, buffer.length)).bytesRead;
  for (;;) {
    if (port.fd === null || isOver()) return 0;
    try {
      return (await readAt(port.fd, buffer, 0, buffer.length, null)).bytesRead;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN' && code !== 'EINTR') throw error;
    }
    if (isOver()) return 0;
    await readable(port.poller);
  }
}

/** Ends the waiting of {@link readSome}. */
function wake(port: Port): void {
  if ('poller' in port) port.poller.stop();
  else void port.close().catch(() => undefined);
}

interface Poller {
  once(event: 'readable', told: (error: Error | null) => void): unknown;
}

const readable = (poller: Poller): Promise<void> =>
  new Promise((resolve, reject) => {
    poller.once('readable', (error) => (error ? reject(error) : resolve()));
  });

const said = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/^Error: /, '');
