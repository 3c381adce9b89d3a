import { DriverError } from '../errors.ts';
import type { ByteLine, Dial, LineEvents } from './byte-line.ts';
import { createEchoFilter } from './echo.ts';
import { openSerialFile, type SerialFile } from './serial-file.ts';
import { serialName, type SerialSettings } from './serial-settings.ts';

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

async function open(settings: SerialSettings, where: string): Promise<SerialFile> {
  try {
    return await openSerialFile(settings);
  } catch (cause) {
    throw new DriverError('lost', said(cause), where, { cause });
  }
}

function lineOf(port: SerialFile, hasEcho: boolean, events: LineEvents): ByteLine {
  const echo = hasEcho ? createEchoFilter() : undefined;
  let isOver = false;
  let writing: Promise<unknown> = Promise.resolve();

  function end(why?: string): void {
    if (isOver) return;
    isOver = true;
    port.wake(); // The reader closes the port: the file must not be closed, and its number given away, under a running read.
    if (why !== undefined) events.onClose(why);
  }

  async function listen(): Promise<void> {
    const buffer = Buffer.alloc(BUFFER_BYTES);
    while (!isOver) {
      const count = await port.read(buffer, () => isOver);
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
        .then(() => (isOver ? undefined : port.write(bytes)))
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

const said = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/^Error: /, '');
