import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { FaultRule, Faults } from './faults.ts';

export interface ControlDeps {
  readonly faults: Faults;
  readonly unplug: (bus: string) => Promise<void>;
  readonly plug: (bus: string) => Promise<void>;
}

/** One line of JSON in, one out: `{"do":"fault","bus":"a-panel","unit":3,"times":5,"fault":{"kind":"silence"}}`. */
type Command =
  | ({ readonly do: 'fault' } & FaultRule)
  | { readonly do: 'clear'; readonly id?: number; readonly bus?: string }
  | { readonly do: 'unplug' | 'plug'; readonly bus: string };

/** Lets a test in another process script faults. Loopback only: it is bound there by the caller. */
export function createControlServer(deps: ControlDeps): {
  listen(host: string, port: number): Promise<number>;
  close(): Promise<void>;
} {
  const sockets = new Set<Socket>();
  let server: Server | undefined;

  function accept(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => {
      void run(deps, line).then((reply) => socket.destroyed || socket.write(`${JSON.stringify(reply)}\n`));
    });
  }

  return {
    listen(host, port) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const made = createServer(accept);
      made.once('error', reject);
      made.listen(port, host, () => {
        server = made;
        const address = made.address();
        resolve(typeof address === 'object' && address ? address.port : port);
      });
      return promise;
    },
    close() {
      return new Promise((resolve) => {
        if (server) server.close(() => resolve());
        else resolve();
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}

async function run({ faults, unplug, plug }: ControlDeps, line: string): Promise<object> {
  try {
    const command = JSON.parse(line) as Command;
    if (command.do === 'fault') return { ok: true, id: faults.set(command) };
    if (command.do === 'clear') return { ok: true, ended: faults.clear(command) };
    if (command.do === 'unplug') await unplug(command.bus);
    else if (command.do === 'plug') await plug(command.bus);
    else return { ok: false, error: 'do is one of fault, clear, unplug, plug' };
    return { ok: true };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}
