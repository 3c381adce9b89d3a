import { readSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SerialSettings } from './serial-settings.ts';

/** An open serial port. */
export interface SerialFile {
  /** Bytes put into `buffer`, at least one; 0 when the port is gone or `isOver` says so. Rejects when it breaks. */
  read(buffer: Buffer, isOver: () => boolean): Promise<number>;
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the last bit is on the wire. */
  drain(): Promise<void>;
  flush(): Promise<void>;
  /** Not while a read or write is running. */
  close(): Promise<void>;
  /** Ends a read that waits. */
  wake(): void;
}

/** How soon a port is looked at again, ms: while somebody speaks on the line, and while nobody does. */
const LOOK = { busyMs: 3, quietMs: 20 };
/** The line counts as busy for so long after the last byte, ms: longer than any device takes to answer. */
const BUSY_MS = 2_000;

/** A port that took nothing for so long never will, ms: the longest frame at 300 baud is through by then. */
const STUCK_MS = 20_000;

/** Opens a port, for this process alone. Rejects with the system's words. */
export function openSerialFile(settings: SerialSettings): Promise<SerialFile> {
  return process.platform === 'win32' ? openOnWindows(settings) : openOnUnix(settings);
}

/**
 * The library's own reading waits on the event loop of the process's first thread, whichever thread asks, and ends the process
 * when that is another: drivers have threads of their own. So here the library opens and sets up the port, and what comes is
 * looked for in short steps; the port never blocks.
 */
async function openOnUnix({
  path,
  baudRate,
  dataBits,
  parity,
  stopBits,
}: SerialSettings): Promise<SerialFile> {
  const port = await import('@serialport/bindings-cpp/dist/load-bindings.js');
  const fd = (await port.asyncOpen(path, {
    ...{ baudRate, dataBits, parity, stopBits, lock: true, hupcl: true, vmin: 1, vtime: 0 },
    ...{ rtscts: false, xon: false, xoff: false, xany: false },
  })) as number;
  let busyUntil = 0;
  const spoken = (): void => {
    busyUntil = performance.now() + BUSY_MS;
  };
  const wait = (): Promise<void> => sleep(performance.now() < busyUntil ? LOOK.busyMs : LOOK.quietMs);

  return {
    async read(buffer, isOver) {
      while (!isOver()) {
        const count = unlessBusy(() => readSync(fd, buffer, 0, buffer.length, null));
        if (count === undefined) await wait();
        else {
          spoken();
          return count;
        }
      }
      return 0;
    },
    async write(bytes) {
      const until = performance.now() + STUCK_MS;
      for (let from = 0; from < bytes.length;) {
        if (performance.now() > until) throw new Error('the port takes no more bytes');
        spoken();
        const count = unlessBusy(() => writeSync(fd, bytes, from));
        if (count === undefined) await sleep(LOOK.busyMs);
        else from += count;
      }
    },
    drain: async () => void (await port.asyncDrain(fd)),
    flush: async () => void (await port.asyncFlush(fd)),
    close: async () => void (await port.asyncClose(fd)),
    wake: () => undefined,
  };
}

/** What a system call on a port gives; undefined while the port has nothing for it. @throws the system's error. */
function unlessBusy(call: () => number): number | undefined {
  try {
    return call();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN' || code === 'EINTR') return undefined;
    throw error;
  }
}

async function openOnWindows({
  path,
  baudRate,
  dataBits,
  parity,
  stopBits,
}: SerialSettings): Promise<SerialFile> {
  const { SerialPort } = await import('serialport');
  const port = await SerialPort.binding.open({ path, baudRate, dataBits, parity, stopBits, lock: true });
  return {
    read: async (buffer, isOver) => (isOver() ? 0 : (await port.read(buffer, 0, buffer.length)).bytesRead),
    write: (bytes) => port.write(Buffer.from(bytes)),
    drain: () => port.drain(),
    flush: () => port.flush(),
    close: () => (port.isOpen ? port.close() : Promise.resolve()),
    wake: () => void port.close().catch(() => undefined),
  };
}
