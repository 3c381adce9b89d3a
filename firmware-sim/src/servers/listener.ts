import { createServer, type Server, type Socket } from 'node:net';

/** A TCP server that can leave the network and come back. */
export interface Listener {
  /** @returns the port, which differs from `port` only when that is 0. Rejects when it is taken. */
  listen(host: string, port: number): Promise<number>;
  /** Hangs up on everyone; `listen` may follow. Safe when not listening. */
  close(): Promise<void>;
}

/** Hands each connection to `serve`. A client that breaks off is no news to a device. */
export function createListener(serve: (socket: Socket) => void): Listener {
  const sockets = new Set<Socket>();
  let server: Server | undefined;

  function accept(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
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
      const closing = server;
      server = undefined;
      return new Promise((resolve) => {
        if (closing) closing.close(() => resolve());
        else resolve();
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}
