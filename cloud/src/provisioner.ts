// The process that lets gateways in and throws them out. It alone holds the keys for it, and it listens to nobody but the
// database and the message server.
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Now, Wait } from './platform/clock.ts';
import type { Db } from './platform/db.ts';
import { createBroker, type NatsAccess } from './platform/nats.ts';
import { checkServers, SERVER_STATE } from './platform/nats-server.ts';
import { readAuthorityKeys } from './provisioning/authority-keys.ts';
import { watchRefusedLogins } from './provisioning/refused-logins.ts';
import { pushRevoked, runProvisioner } from './provisioning/run-provisioner.ts';
import { createSigner } from './provisioning/signer.ts';

export interface ProvisionerProcessDeps {
  /** As parkline_provisioner. */
  readonly pool: pg.Pool;
  readonly db: Db;
  /** Folder with the keys; the user of the SYS account lies there too. */
  readonly keysDir: string;
  readonly access: NatsAccess;
  readonly isProduction: boolean;
  readonly now: Now;
  readonly wait: Wait;
  readonly log: Logger;
  readonly metrics?: Registry;
}

/** Works until `signal` aborts. @throws Error at start when keys are missing or, in production, a message server is not safe. */
export async function runProvisionerProcess(
  deps: ProvisionerProcessDeps,
  signal: AbortSignal,
): Promise<void> {
  const { keysDir, log, wait, now, isProduction } = deps;
  const keys = readAuthorityKeys(keysDir);
  const broker = createBroker({ access: { ...deps.access, credsDir: keysDir }, log, wait });
  signal.addEventListener('abort', () => void broker.close(), { once: true });
  const system = await broker.as('provisioner').connection;
  await checkServers({ nats: system, subject: SERVER_STATE, isProduction, log });
  const signer = createSigner({ ...keys, system, now });
  const again = repeatAfterReconnect(system, { ...deps, signer });
  const watching = watchRefusedLogins({ ...deps, system });
  await runProvisioner({ ...deps, signer }, signal);
  await Promise.all([again, watching]);
}

/** A server that came back may have been set up anew: it gets the list of revoked gateways at once. */
async function repeatAfterReconnect(
  system: NatsConnection,
  deps: Parameters<typeof pushRevoked>[0],
): Promise<void> {
  for await (const { type } of system.status()) {
    if (type !== 'reconnect') continue;
    // The loop of the provisioner tells the list again soon when this fails.
    await pushRevoked(deps, true).catch((err: unknown) =>
      deps.log.warn({ err }, 'revoked gateways not told again'),
    );
  }
}
