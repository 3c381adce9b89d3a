import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A gateway's entry in the message server: its id names its subjects, its key is its identity. */
export interface GatewayUser {
  readonly id: string;
  /** Public nkey of a user ("U…"). The seed never leaves the gateway. */
  readonly publicNkey: string;
}

/** Whom a server believes. All of it is public. */
export interface ServerTrust {
  readonly operatorJwt: string;
  /** Public key of the system account. */
  readonly sys: string;
  /** Account JWTs by the account's public key. */
  readonly accounts: Readonly<Record<string, string>>;
}

/** Paths as the server sees them. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** What one server needs to know. */
export interface ServerConfig {
  readonly serverName: string;
  /** `host:port`. */
  readonly listen: string;
  /** Port of health and statistics, on loopback. */
  readonly httpPort: number;
  /** Folder of the streams; account JWTs are kept in a folder of their own. */
  readonly storeDir: string;
  readonly jwtDir: string;
  readonly pidFile: string;
  /** Bytes all streams together may take. */
  readonly maxFileStore: number;
  readonly trust: ServerTrust;
  /** Absent: plain text, for one machine alone. */
  readonly tls?: TlsFiles;
  /** Absent: one server. */
  readonly cluster?: ClusterConfig;
}

export interface ClusterConfig {
  readonly name: string;
  /** `host:port` for the other servers. */
  readonly listen: string;
  /** `host:port` of every server. */
  readonly peers: readonly string[];
  readonly password: string;
  readonly tls: TlsFiles;
}

/** The text of a server's configuration file. @throws RangeError on a word that would change the meaning of the file. */
export async function renderServer(config: ServerConfig): Promise<string> {
  const { tls, cluster } = config;
  const parts = [
    fill('server.conf', serverValues(config)),
    ...(tls ? [fill('tls.conf', tlsValues(tls))] : []),
    ...(cluster ? [fill('cluster.conf', clusterValues(cluster))] : []),
  ];
  return (await Promise.all(parts)).join('');
}

/** The accounts for a server in configuration mode. @throws RangeError as above. */
export async function renderAccounts(coreKey: string, gateways: readonly GatewayUser[]): Promise<string> {
  const users = gateways.map(gatewayEntry).join('\n');
  return fill('accounts.conf', { coreKey: plainWord(coreKey), gateways: users });
}

function serverValues(config: ServerConfig): Record<string, string> {
  const { operatorJwt, sys, accounts } = config.trust;
  return {
    serverName: plainWord(config.serverName),
    listen: quoted(config.listen),
    http: quoted(`127.0.0.1:${config.httpPort}`),
    pidFile: quoted(config.pidFile),
    operatorJwt: plainJwt(operatorJwt),
    sys: plainWord(sys),
    jwtDir: quoted(config.jwtDir),
    accounts: Object.entries(accounts)
      .map(([key, jwt]) => `  ${plainWord(key)}: ${plainJwt(jwt)}`)
      .join('\n'),
    storeDir: quoted(config.storeDir),
    maxFileStore: String(config.maxFileStore),
  };
}

const tlsValues = ({ certFile, keyFile, caFile }: TlsFiles): Record<string, string> => ({
  certFile: quoted(certFile),
  keyFile: quoted(keyFile),
  caFile: quoted(caFile),
});

const ROUTE_USER = 'route';

const clusterValues = ({ name, listen, peers, password, tls }: ClusterConfig): Record<string, string> => ({
  ...tlsValues(tls),
  clusterName: plainWord(name),
  clusterListen: quoted(listen),
  routeUser: ROUTE_USER,
  routePassword: quoted(plainWord(password)),
  routes: peers.map((peer) => `    ${quoted(`nats-route://${ROUTE_USER}:${password}@${peer}`)}`).join('\n'),
});

async function fill(template: string, values: Readonly<Record<string, string>>): Promise<string> {
  const text = await readFile(join(import.meta.dirname, template), 'utf8');
  return text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole);
}

/** A gateway may speak under its own id and hear what is meant for it; nothing else. */
function gatewayEntry({ id, publicNkey }: GatewayUser): string {
  const gateway = plainWord(id);
  const publish = `publish: { allow: ["up.${gateway}.>", "rpc.${gateway}.>"] }`;
  const subscribe = `subscribe: { allow: ["cmd.${gateway}.>", "_INBOX.${gateway}.>"] }`;
  return `      { nkey: ${plainWord(publicNkey)}, permissions: { ${publish}, ${subscribe} } }`;
}

const quoted = (text: string): string => JSON.stringify(text);

/** Ids and keys become part of subjects: a dot, a wildcard or a quote in one would widen what it permits. */
function plainWord(text: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(text))
    throw new RangeError(`not usable in a subject: ${JSON.stringify(text)}`);
  return text;
}

function plainJwt(text: string): string {
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) throw new RangeError(`not a JWT: ${text.slice(0, 20)}`);
  return text;
}
