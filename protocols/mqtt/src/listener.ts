import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { DriverError, type DriverLog } from '@parkline/kit';

/** After this long the operating system asks an idle peer whether it is still there, ms. */
const TCP_KEEPALIVE_MS = 30_000;
/** For a client to agree on encryption, ms. */
const HANDSHAKE_MS = 10_000;

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface ListenerDeps {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  /** Without them connections are in the clear. */
  readonly tls?: TlsFiles | undefined;
  readonly log: DriverLog;
}

/**
 * The port of a broker, in the clear or encrypted; it does not listen yet.
 * @param onSocket A connection that may be used.
 * @param onRaw A connection that is not encrypted yet.
 */
export function createListener(
  deps: ListenerDeps,
  onSocket: (socket: Socket) => void,
  onRaw: (socket: Socket) => void,
): Server {
  const { tls, host, port, maxConnections, log } = deps;
  const options = { keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS };
  const server = tls
    ? createTlsServer(
        { ...options, ...filesOf(tls), minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS },
        onSocket,
      )
    : createServer(options, onSocket);
  if (tls) server.on('connection', onRaw);
  server.on('tlsClientError', (err) => {
    log.debug({ host, port, err }, 'mqtt connection ended before it was encrypted');
  });
  server.maxConnections = maxConnections;
  // Once: whoever floods the port must not flood the log.
  server.once('drop', () => {
    log.warn({ host, port, maxConnections }, 'mqtt connection refused: too many');
  });
  return server;
}

/** @throws DriverError 'config' naming the file that cannot be read. */
function filesOf({ certFile, keyFile }: TlsFiles) {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new DriverError('config', `cannot read ${path}: ${String(cause)}`, 'mqtt tls', { cause });
    }
  };
  return { cert: read(certFile), key: read(keyFile) };
}

/** Rejects with DriverError 'lost' when the port cannot be had. */
export function listen(server: Server, { host, port, log }: ListenerDeps): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', (cause) => {
      // Before it listens whoever reads tells of it, once for each device; later nobody else would.
      if (server.listening) log.warn({ host, port, err: cause }, 'mqtt broker has a problem with its port');
      const advice = `cannot listen: ${cause.message}; free the port or name another`;
      reject(new DriverError('lost', advice, `${host}:${port}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}
