import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Where a bus listens, or (MQTT) where the gateway's broker is expected. */
export interface BusPlace {
  readonly host: string;
  readonly port: number;
  /** OPC UA: SHA-256 of the server's certificate, hex. */
  readonly fingerprint?: string;
}

/** Places by bus key; the control port goes by {@link CONTROL}. */
export type Ports = Readonly<Record<string, BusPlace>>;

/** No bus can be called this: keys of the park begin with a letter. */
export const CONTROL = '@control';

/** Ports of an earlier start, so that gateways find the same devices again; empty when there was none. */
export function readPorts(path: string): Ports {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Ports) : {};
}

/** Replaces the file in one step: a reader sees the old or the new one, never half. */
export function writePorts(path: string, ports: Ports): void {
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(ports, null, 2)}\n`);
  renameSync(draft, path);
}
