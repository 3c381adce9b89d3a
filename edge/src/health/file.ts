import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { GatewayHealth } from '@parkline/contract';
import { Value } from 'typebox/value';

/** Older than this it says nothing of now: a gateway that runs writes it every 10 s. */
const FRESH_MS = 30_000;

/** Keeps what the gateway last said of itself, for whoever stands before it. A disk that refuses costs only this file. */
export function writeHealth(path: string, health: GatewayHealth): void {
  try {
    writeFileSync(`${path}.new`, JSON.stringify(health), { mode: 0o640 });
    renameSync(`${path}.new`, path);
  } catch {
    // The outbox says that the disk is in trouble, and says it louder.
  }
}

/** What a running gateway says of itself; undefined when none runs here, or when the file is none of its. */
export function readHealth(path: string, now: number): GatewayHealth | undefined {
  const health = lastHealth(path);
  return health && Math.abs(now - health.at) <= FRESH_MS ? health : undefined;
}

/** What the gateway last said of itself, however long ago. */
export function lastHealth(path: string): GatewayHealth | undefined {
  try {
    const health: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Value.Check(GatewayHealth, health) ? health : undefined;
  } catch {
    return undefined; // It has never run, or the file is half a file of an older program.
  }
}
