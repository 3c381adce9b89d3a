import './tables.ts';
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Logger } from 'pino';
import type { Wait } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';

const LOOK_MS = 1_000;

export interface SealDeps {
  /** As parkline_ingest, which holds the key. */
  readonly db: Db;
  /** Ed25519 private key of the cloud. */
  readonly signingKey: KeyObject;
  readonly wait: Wait;
  readonly log: Logger;
}

/** Seals reports that are drawn, until `signal` aborts. Any number may run. */
export async function runSeals(deps: SealDeps, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await sealDrawn(deps);
      failures = 0;
    } catch (err) {
      if (failures % 60 === 0) deps.log.warn({ err, failures }, 'reports not sealed');
      failures += 1;
    }
    await deps.wait(LOOK_MS, signal);
  }
}

/** Signs the text of every report that is drawn and not sealed. @returns how many. */
export async function sealDrawn({ db, signingKey, log }: Omit<SealDeps, 'wait'>): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const drawn = await trx
      .selectFrom('commissioningReport')
      .select(['id', 'accountId', 'proof'])
      .where('proof', 'is not', null)
      .where('signature', 'is', null)
      .limit(20)
      .forUpdate()
      .skipLocked()
      .execute();
    const publicKey = createPublicKey(signingKey).export({ type: 'spki', format: 'pem' }).toString();
    for (const { id, accountId, proof } of drawn) {
      const signature = sign(null, Buffer.from(proof ?? ''), signingKey).toString('base64url');
      await trx
        .updateTable('commissioningReport')
        .set({ signature, publicKey })
        .where('accountId', '=', accountId)
        .where('id', '=', id)
        .execute();
      log.info({ reportId: id }, 'commissioning report sealed');
    }
    return drawn.length;
  });
}
