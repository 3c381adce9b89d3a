import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createUser } from '@nats-io/nkeys';
import { inject } from 'vitest';
import { type ChildProcess } from 'node:child_process';
import { ended, start } from '../../deploy/local/command.ts';
import { freePort, scratchFolder } from '../../deploy/local/machine.ts';
import { natsCommand, natsFiles, untilNatsIsHealthy, writeNatsConfig } from '../../deploy/local/nats.ts';
import type { GatewayUser } from '../../deploy/local/nats-config.ts';

/** A real nats-server of a test, with the accounts and permissions of production. */
export interface TestNats {
  readonly url: string;
  /** Seed of the CORE user: what the cloud connects with. */
  readonly coreSeed: string;
  /** Ends it cleanly and deletes its store. */
  stop(): Promise<void>;
  /** kill -9; the store stays, so that `restart` finds what was acknowledged. */
  kill(): Promise<void>;
  /** Starts it again on the same port and store. */
  restart(): Promise<void>;
}

/** Starts a server on a free port. `program` is what the global set-up found; give it where there is no vitest. */
export async function startNats(options: {
  gateways: readonly GatewayUser[];
  program?: string;
}): Promise<TestNats> {
  const program = options.program ?? inject('natsServer');
  const folder = await mkdtemp(join(scratchFolder(), 'parkline-nats-'));
  const files = natsFiles(folder);
  await mkdir(files.storeDir);
  const core = createUser();
  const [port, httpPort] = [await freePort(), await freePort()];
  await writeNatsConfig(program, files.config, {
    port,
    httpPort,
    storeDir: files.storeDir,
    pidFile: files.pidFile,
    maxFileStore: 1024 ** 3,
    coreKey: core.getPublicKey(),
    gateways: options.gateways,
  });

  let child: ChildProcess | undefined;
  async function launch(): Promise<void> {
    child = start(natsCommand(program, files.config));
    // Nobody reads its log here; a full pipe would stop the server.
    child.stdout?.resume();
    child.stderr?.resume();
    await untilNatsIsHealthy(httpPort, 10_000);
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    child?.kill(signal);
    if (child) await ended(child);
  }

  await launch();
  return {
    url: `nats://127.0.0.1:${port}`,
    coreSeed: new TextDecoder().decode(core.getSeed()),
    async stop() {
      await end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
    kill: () => end('SIGKILL'),
    restart: launch,
  };
}
