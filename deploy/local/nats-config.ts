import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A gateway's entry in the message server: its id names its subjects, its key is its identity. */
export interface GatewayUser {
  readonly id: string;
  /** Public nkey of a user ("U…"). The seed never leaves the gateway. */
  readonly publicNkey: string;
}

/** What one server needs to know. */
export interface NatsConfig {
  readonly port: number;
  readonly httpPort: number;
  readonly storeDir: string;
  readonly pidFile: string;
  /** Bytes all streams together may take. */
  readonly maxFileStore: number;
  /** Public nkey of the cloud's user. */
  readonly coreKey: string;
  readonly gateways: readonly GatewayUser[];
}

const template = join(import.meta.dirname, '../nats/server.conf');

/** The text of the configuration file: the template of deploy/nats with its names filled in. */
export async function renderNatsConfig(config: NatsConfig): Promise<string> {
  const values: Record<string, string> = {
    serverName: 'parkline',
    port: String(config.port),
    httpPort: String(config.httpPort),
    storeDir: JSON.stringify(config.storeDir),
    pidFile: JSON.stringify(config.pidFile),
    maxFileStore: String(config.maxFileStore),
    coreKey: plainWord(config.coreKey),
    gateways: config.gateways.map(gatewayEntry).join('\n'),
  };
  return (await readFile(template, 'utf8')).replace(
    /\{\{(\w+)\}\}/g,
    (whole, name: string) => values[name] ?? whole,
  );
}

/** A gateway may speak under its own id and hear what is meant for it; nothing else. */
function gatewayEntry({ id, publicNkey }: GatewayUser): string {
  const gateway = plainWord(id);
  const publish = `publish: { allow: ["up.${gateway}.>", "rpc.${gateway}.>"] }`;
  const subscribe = `subscribe: { allow: ["cmd.${gateway}.>", "_INBOX.${gateway}.>"] }`;
  return `      { nkey: ${plainWord(publicNkey)}, permissions: { ${publish}, ${subscribe} } }`;
}

/** Ids and keys become part of subjects: a dot, a wildcard or a quote in one would widen what it permits. */
function plainWord(text: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(text))
    throw new RangeError(`not usable in a subject: ${JSON.stringify(text)}`);
  return text;
}
