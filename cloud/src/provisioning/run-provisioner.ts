import './tables.ts';
import { sql } from 'kysely';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Now, Wait } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { runListener } from '../platform/listen.ts';
import { type Signer, SignerError } from './signer.ts';

export interface ProvisionerDeps {
  /** As parkline_provisioner, at least two connections: one only listens. */
  readonly pool: Pool;
  readonly db: Db;
  readonly signer: Signer;
  readonly now: Now;
  readonly wait: Wait;
  readonly log: Logger;
}

/** Longest time until something is noticed that the database did not tell of. */
const LOOK_MS = 5_000;
const RETRY_MS = 1_000;
/** The message server is told the whole list again this often: it may have been set up anew. */
const REPEAT_MS = 600_000;
const AT_ONCE = 100;

/**
 * Signs for keys that were proven and throws out keys that were revoked, at once when the database tells of them; until `signal`
 * aborts. Any number may run: the same signed twice, and the same list told twice, is the same.
 */
export async function runProvisioner(deps: ProvisionerDeps, signal: AbortSignal): Promise<void> {
  const { wait, log, now } = deps;
  let woken = new AbortController();
  let repeatAt = 0;
  const wake = (): void => woken.abort();
  const listening = runListener(
    { ...deps, channel: 'parkline_provision', onNotice: wake, onConnect: wake },
    signal,
  );
  let failures = 0;
  let isCompared = false;
  while (!signal.aborted) {
    woken = new AbortController();
    let pause = LOOK_MS;
    try {
      if (!isCompared) await revokeHeld(deps);
      isCompared = true;
      const isRepeat = now().getTime() >= repeatAt;
      await pushRevoked(deps, isRepeat);
      if (isRepeat) repeatAt = now().getTime() + REPEAT_MS;
      const issued = await issueDue(deps);
      if (issued === AT_ONCE) pause = 0;
      failures = 0;
    } catch (err) {
      pause = RETRY_MS;
      if (failures % 60 === 0) log.error({ err, failures }, 'gateways cannot be let in or thrown out');
      failures += 1;
    }
    await wait(pause, AbortSignal.any([signal, woken.signal]));
  }
  await listening;
}

/**
 * Throws out again whom the message server holds as thrown out and the database does not: it was restored to before that.
 * @returns how many keys. @throws SignerError 'unreachable': nothing is told to the server before it was asked.
 */
export async function revokeHeld({
  db,
  signer,
  log,
}: Pick<ProvisionerDeps, 'db' | 'signer' | 'log'>): Promise<number> {
  const held = await signer.held().catch((err: SignerError) => {
    if (err.code !== 'refused') throw err;
    log.warn(
      { err },
      'revocations are not compared after a restore: "npm run nats -- init" lets this user look',
    );
    return new Map<string, Date>();
  });
  const instants = [...held.values()].map((at) => at.toISOString());
  const { rows } = await sql<{ gatewayId: string; nkey: string }>`
    select gateway_id, nkey from gateway_revoke_held(${[...held.keys()]}::text[], ${instants}::timestamptz[])`.execute(
    db,
  );
  for (const gateway of rows)
    log.warn(gateway, 'gateway thrown out again: the message server holds it as revoked');
  return rows.length;
}

/**
 * Tells the message server every key whose credentials could still open a connection. Nothing when none is new, unless `isRepeat`:
 * the account goes along in the form that this version gives it.
 * @throws SignerError when the server does not take the list; the rows stay to be told.
 */
export async function pushRevoked(
  { db, signer, now, log }: Omit<ProvisionerDeps, 'pool' | 'wait'>,
  isRepeat = false,
): Promise<number> {
  const at = now();
  const revoked = await db
    .selectFrom('gatewayCredential')
    .select(['id', 'gatewayId', 'nkey', 'revokedAt', 'revokePushedAt'])
    .where('revokedAt', 'is not', null)
    // What was never signed, or is over by itself, opens nothing.
    .where((eb) => eb.or([eb('expiresAt', '>', at), eb('expiresAt', 'is', null)]))
    .orderBy('id')
    .execute();
  const fresh = revoked.filter(({ revokePushedAt }) => revokePushedAt === null);
  if (fresh.length === 0 && !isRepeat) return 0;
  await signer.revoke(new Map(revoked.map(({ nkey, revokedAt }) => [nkey, revokedAt ?? at])));
  if (fresh.length > 0)
    await db
      .updateTable('gatewayCredential')
      .set({ revokePushedAt: now() })
      .where(
        'id',
        'in',
        fresh.map(({ id }) => id),
      )
      .execute();
  for (const { gatewayId, nkey } of fresh) log.info({ gatewayId, nkey }, 'gateway thrown out');
  return fresh.length;
}

/** Signs for the keys that wait for it. One that cannot be signed for is noted and does not hold up the others. @returns how many it looked at. */
export async function issueDue({
  db,
  signer,
  now,
  log,
}: Omit<ProvisionerDeps, 'pool' | 'wait'>): Promise<number> {
  const due = await db
    .selectFrom('gatewayCredential')
    .select(['id', 'gatewayId', 'nkey', 'tlsKey'])
    .where('issueDue', '=', true)
    .where('revokedAt', 'is', null)
    .where('failure', 'is', null)
    .orderBy('id')
    .limit(AT_ONCE)
    .execute();
  for (const { id, gatewayId, nkey, tlsKey } of due) {
    const set = (change: object) =>
      db
        .updateTable('gatewayCredential')
        .set(change)
        .where('id', '=', id)
        .where('revokedAt', 'is', null)
        .execute();
    try {
      const at = now();
      const signed = await signer.issue({ id: gatewayId, nkey, tlsPublicKeyPem: tlsKey }, at);
      const { jwt, certificatePem: certificate, caPem: ca, expiresAt } = signed;
      await set({ issueDue: false, issuedAt: at, jwt, certificate, ca, expiresAt, failure: null });
      log.info({ gatewayId, nkey, expiresAt }, 'gateway let in');
    } catch (err) {
      if (err instanceof SignerError) throw err;
      await set({ failure: String(err instanceof Error ? err.message : err).slice(0, 500) });
      log.error({ err, gatewayId }, 'gateway cannot be let in');
    }
  }
  return due.length;
}
