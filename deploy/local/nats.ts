import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, followingParent } from './command.ts';
import { run } from './machine.ts';
import { renderServer, type ServerConfig } from '../nats/render.ts';

/** Bytes left on the disk that holds `folder`, and its size. */
export interface Disk {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export async function diskOf(folder: string): Promise<Disk> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

const gigabyte = 1024 ** 3;

/** How much the streams may take: never more than leaves a fifth of the free space, and 8 GB at most. */
export const fileStoreLimit = ({ freeBytes }: Disk): number =>
  Math.floor(Math.min(8 * gigabyte, freeBytes * 0.8));

/** Writes the configuration file and lets the server itself check it. @throws ToolError naming what is wrong with it. */
export async function writeNatsConfig(program: string, file: string, config: ServerConfig): Promise<void> {
  await writeFile(file, await renderServer(config), { mode: 0o600 });
  await run(program, ['-t', '-c', file]);
}

/** How the server is started. It ends by itself when its parent dies. */
export const natsCommand = (program: string, configFile: string): Command =>
  followingParent({ file: program, args: ['-c', configFile], env: { PATH: '/usr/bin:/bin' } }, 'TERM');

/** What `/healthz` says. */
export type NatsHealth = { readonly ok: true } | { readonly ok: false; readonly why: string };

export async function natsHealth(httpPort: number): Promise<NatsHealth> {
  try {
    const reply = await fetch(`http://127.0.0.1:${httpPort}/healthz`, { signal: AbortSignal.timeout(2000) });
    if (reply.ok) return { ok: true };
    const { error } = (await reply.json()) as { error?: string };
    return { ok: false, why: error ?? `status ${reply.status}` };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : 'no answer' };
  }
}

/** Waits until the server is healthy. @throws Error with its last complaint after `timeoutMs`. */
export async function untilNatsIsHealthy(
  httpPort: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const health = await natsHealth(httpPort);
    if (health.ok) return;
    if (Date.now() > deadline) throw new Error(`nats-server is not ready: ${health.why}`);
    await sleep(25);
  }
}

/** Shortest time between two restarts that only a stuck stream asked for. */
const unlatchEveryMs = 5 * 60_000;

/**
 * Whether a restart would help an unhealthy server: after a full disk a stream stays stuck even when there is room again.
 * @param lastRestartAt Unix ms of the last restart of this kind, or undefined.
 */
export function shouldUnlatch(
  health: NatsHealth,
  disk: Disk,
  now: number,
  lastRestartAt: number | undefined,
): boolean {
  if (health.ok || !/write|no space|stream/i.test(health.why)) return false;
  if (disk.freeBytes < disk.totalBytes * 0.1) return false;
  return lastRestartAt === undefined || now - lastRestartAt >= unlatchEveryMs;
}

/** Places of one server's files. */
export const natsFiles = (
  folder: string,
): { config: string; storeDir: string; jwtDir: string; pidFile: string } => ({
  config: join(folder, 'server.conf'),
  storeDir: join(folder, 'store'),
  jwtDir: join(folder, 'jwt'),
  pidFile: join(folder, 'server.pid'),
});
