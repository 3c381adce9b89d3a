import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSerialDial, type SerialSettings } from '@parkline/kit';
import { type PtyPair, startPtyPair } from './pty-pair.ts';

/** A serial port whose far end is a device on TCP that speaks as on a line. */
export interface SerialBench {
  /** Stays the same when the port is pulled out and put in again. */
  readonly path: string;
  unplug(): Promise<void>;
  plug(): Promise<void>;
  close(): Promise<void>;
}

/** The far end speaks as this too; pseudo terminals do not care for the rate. */
const settings: Omit<SerialSettings, 'path'> = {
  baudRate: 115_200,
  dataBits: 8,
  parity: 'none',
  stopBits: 1,
};

/** @param device Where the bytes of the port go and come from. @returns why there is none on this machine. */
export async function startSerialBench(device: {
  host: string;
  port: number;
}): Promise<SerialBench | { readonly why: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'serial-'));
  const path = join(folder, 'port');
  let end: (() => Promise<void>) | undefined;

  async function plug(): Promise<{ why: string } | undefined> {
    const pair = await startPtyPair();
    if ('why' in pair) return pair;
    end = await bridge(pair, device);
    await symlink(pair.near, path);
    return undefined;
  }
  async function unplug(): Promise<void> {
    await rm(path, { force: true });
    await end?.();
    end = undefined;
  }

  const fault = await plug();
  if (fault) return fault;
  return {
    path,
    unplug,
    plug: async () => void (await plug()),
    async close() {
      await unplug();
      await rm(folder, { recursive: true });
    },
  };
}

async function bridge(
  pair: PtyPair,
  { host, port }: { host: string; port: number },
): Promise<() => Promise<void>> {
  const socket = connect({ host, port, noDelay: true });
  socket.on('error', () => undefined); // The device went: the port is silent then.
  const line = await createSerialDial({ ...settings, path: pair.far })(
    { onData: (bytes) => void socket.write(bytes), onClose: () => void socket.destroy() },
    new AbortController().signal,
  );
  socket.on('data', (bytes) => line.write(bytes));
  return async () => {
    socket.destroy();
    await line.destroy();
    await pair.close();
  };
}
