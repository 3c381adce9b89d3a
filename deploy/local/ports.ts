import { createServer } from 'node:net';
import { readIfThere, writeWhole } from './files.ts';
import { freePort } from './machine.ts';
import { StartError } from './options.ts';

/** Ports of the servers behind the park. They stay the same from start to start while nobody else takes them. */
export interface Ports {
  readonly postgres: number;
  readonly nats: number;
  /** Health and statistics of the message server. */
  readonly natsHttp: number;
}

export async function stablePorts(file: string): Promise<Ports> {
  const known = JSON.parse((await readIfThere(file)) ?? '{}') as Partial<Ports>;
  const ports = {
    postgres: await sameOrFree(known.postgres),
    nats: await sameOrFree(known.nats),
    natsHttp: await sameOrFree(known.natsHttp),
  };
  await writeWhole(file, `${JSON.stringify(ports)}\n`);
  return ports;
}

const sameOrFree = async (port: number | undefined): Promise<number> =>
  port !== undefined && (await isFree(port, '127.0.0.1')) ? port : freePort();

/** The port the portal will listen on. @throws StartError when it is taken. */
export async function portalPort(port: number, host: string): Promise<number> {
  if (port === 0) return freePort();
  // Browsers try ::1 first for "localhost": a stranger there would be taken for us.
  const hosts = host === '127.0.0.1' ? [host, '::1'] : [host];
  for (const one of hosts)
    if (!(await isFree(port, one)))
      throw new StartError(
        `port ${port} is in use: stop what listens there, or choose another with PORT=<number> (PORT=0 takes any free one)`,
      );
  return port;
}

/** An address family that this machine lacks counts as free. @throws for a port that may not be used at all. */
function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') resolve(true);
      else reject(new StartError(`port ${port} cannot be used on ${host}: ${error.message}`));
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
