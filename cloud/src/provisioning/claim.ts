import { randomBytes } from 'node:crypto';
import {
  type ClaimChallenge,
  type ClaimCompletion,
  type ClaimFault,
  type ClaimReply,
  claimText,
  readClaimCode,
} from '@parkline/contract';
import { stringify } from 'yaml';
import { audit } from '../identity/index.ts';
import type { Now, Wait } from '../platform/clock.ts';
import { type Db, withAccount } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { NewId } from '../platform/ids.ts';
import { claims, type CodeRow } from './claim-repository.ts';
import { credentials, untilIssued } from './credentials.ts';
import { type CheckedKeys, checkKeys, claimCodeHash, keyFingerprint, provesKeys, sha256 } from './keys.ts';

export interface ClaimDeps {
  readonly db: Db;
  readonly now: Now;
  readonly wait: Wait;
  readonly newId: NewId;
  /** Address of the message server as gateways reach it. */
  readonly gatewayNatsUrl: string;
}

/** Time to sign and send. */
const CHALLENGE_MS = 120_000;
/** How long the answer waits for the signer. */
const SIGNER_MS = 5_000;
/** Refusals of one code before it is locked, and the longest lock: 1 s, 2 s, 4 s, ... 15 min. */
const FREE_FAILURES = 5;
const LONGEST_LOCK_S = 900;

/** Whoever holds a code asks for something to sign. @throws AppError 'claim_refused' or 'too_many_requests'. */
export async function beginClaim(
  { db, now }: Pick<ClaimDeps, 'db' | 'now'>,
  typed: string,
  site: string | undefined,
): Promise<ClaimChallenge> {
  const { accountId, codeHash } = await accountOf(db, typed);
  const challenge = randomBytes(32);
  const at = now();
  const expiresAt = new Date(at.getTime() + CHALLENGE_MS);
  const outcome = await withAccount(db, accountId, async (trx) => {
    const code = await claims.code(trx, accountId, codeHash);
    const why: Fault | undefined = code
      ? (lockOf(code, at) ?? standing(code, at) ?? siteFault(code, site))
      : 'unknown_code';
    if (!code || why) return { why, noted: await note(trx, accountId, code, why, at) };
    await claims.addChallenge(trx, { hash: sha256(challenge), accountId, codeId: code.id, expiresAt }, at);
    return { code };
  });
  if (!('code' in outcome) || !outcome.code) throw refusal(outcome.why ?? 'unknown_code');
  const { code } = outcome;
  return {
    challenge: challenge.toString('base64url'),
    expiresAt: expiresAt.toISOString(),
    gateway: { id: code.gatewayId, key: code.key, name: code.name },
    site: { id: code.siteId, key: code.siteKey, name: code.siteName },
  };
}

/** Number of seconds to wait, or why not. */
type Fault = ClaimFault | number;

/**
 * Takes the keys of a gateway: the code is used up in the transaction that stores them. The same keys may ask again within the
 * life of the code, because the answer may have been lost. @throws AppError 'claim_refused' or 'too_many_requests'.
 */
export async function completeClaim(
  deps: ClaimDeps,
  body: ClaimCompletion,
  ip: string,
  signal: AbortSignal,
): Promise<ClaimReply> {
  const { db, now, wait } = deps;
  const { accountId, codeHash } = await accountOf(db, body.code);
  const at = now();
  const outcome = await withAccount(db, accountId, async (trx) => {
    const code = await claims.code(trx, accountId, codeHash);
    const why: Fault | undefined = code
      ? await take(deps, trx, { accountId, code, body, at, ip })
      : 'unknown_code';
    if (!code || why !== undefined) return { why, noted: await note(trx, accountId, code, why, at, ip) };
    return { code, cloudKey: await claims.cloudKey(trx) };
  });
  if (!('code' in outcome) || !outcome.code) throw refusal(outcome.why ?? 'unknown_code');
  const { code, cloudKey } = outcome;
  if (!cloudKey) throw new AppError('unavailable', 'no process has told its public signing key yet');
  const look = () => withAccount(db, accountId, (trx) => credentials.byNkey(trx, accountId, body.keys.nkey));
  const issued = await untilIssued(look, { wait, forMs: SIGNER_MS }, signal);
  return { ...replyOf(code, deps.gatewayNatsUrl), cloudKey, credentials: issued ?? null };
}

interface Attempt {
  readonly accountId: string;
  readonly code: CodeRow;
  readonly body: ClaimCompletion;
  readonly at: Date;
  readonly ip: string;
}

/** @returns why it is refused; undefined: the keys are this gateway's. */
async function take(deps: ClaimDeps, trx: Db, attempt: Attempt): Promise<Fault | undefined> {
  const { accountId, code, body, at } = attempt;
  const locked = lockOf(code, at);
  if (locked !== undefined) return locked;
  const keys = checkKeys(body.keys);
  const challenge = Buffer.from(body.challenge, 'base64url');
  if (!(await claims.takeChallenge(trx, accountId, code.id, sha256(challenge), at))) return 'challenge';
  // What is signed is the code as it is meant, not as it was typed.
  const text = claimText(readClaimCode(body.code) ?? '', body.challenge, body.keys);
  if (!keys || !provesKeys(keys, body.proofs, text)) return 'signature';
  const why = standing(code, at) ?? siteFault(code, body.site);
  if (why) return why;
  if (code.burnedNkey !== null) return code.burnedNkey === keys.nkey ? again(trx, attempt) : 'used';
  return burn(deps, trx, attempt, keys);
}

/** The answer was lost, or the signer was away. */
async function again(trx: Db, { accountId, body }: Attempt): Promise<Fault | undefined> {
  const credential = await credentials.byNkey(trx, accountId, body.keys.nkey);
  if (!credential || credential.revokedAt) return 'used';
  if (credential.failure !== null) await credentials.askAgain(trx, accountId, credential.id);
  return undefined;
}

async function burn(
  { newId }: ClaimDeps,
  trx: Db,
  { accountId, code, at, ip }: Attempt,
  keys: CheckedKeys,
): Promise<Fault | undefined> {
  const { gatewayId } = code;
  const of = { id: newId(), accountId, gatewayId, codeId: code.id, createdAt: at };
  const { nkey, signing: signingKey, tls: tlsKey } = keys;
  if (!(await credentials.add(trx, { ...of, nkey, signingKey, tlsKey }))) return 'key_in_use';
  await claims.change(trx, accountId, code.id, { burnedAt: at, burnedNkey: nkey });
  // While an older key works, the new one counts beside it until it was heard.
  const keepsOld = code.publicKey !== null && code.gatewayRevokedAt === null;
  await trx
    .updateTable('gateway')
    .set({
      ...(keepsOld ? { nextPublicKey: keys.signing } : { publicKey: keys.signing, nextPublicKey: null }),
      ...{ revokedAt: null, claimedAt: at },
    })
    .where('accountId', '=', accountId)
    .where('id', '=', gatewayId)
    .execute();
  const details = { codeId: code.id, nkey, fingerprint: keyFingerprint(keys.signing) };
  await audit(trx, {
    accountId,
    at,
    personId: null,
    action: 'gateway.claimed',
    subjectId: gatewayId,
    details,
    ip,
  });
  return undefined;
}

async function accountOf(db: Db, typed: string): Promise<{ accountId: string; codeHash: Buffer }> {
  const codeHash = claimCodeHash(typed);
  const accountId = codeHash && (await claims.accountOf(db, codeHash));
  if (!codeHash || !accountId) throw refusal('unknown_code');
  return { accountId, codeHash };
}

/** Seconds until a code that failed often may be tried again. Pure. */
export function lockOf(
  { failures, failedAt }: Pick<CodeRow, 'failures' | 'failedAt'>,
  at: Date,
): number | undefined {
  if (failures < FREE_FAILURES || !failedAt) return undefined;
  const lockS = Math.min(LONGEST_LOCK_S, 2 ** Math.min(failures - FREE_FAILURES, 30));
  const leftS = Math.ceil((failedAt.getTime() + lockS * 1_000 - at.getTime()) / 1_000);
  return leftS > 0 ? leftS : undefined;
}

/** Also of a code that was used: the answer to it is given again only within its life. Pure. */
export function standing(
  { expiresAt, revokedAt }: Pick<CodeRow, 'expiresAt' | 'revokedAt'>,
  at: Date,
): 'revoked' | 'expired' | undefined {
  if (revokedAt) return 'revoked';
  return expiresAt <= at ? 'expired' : undefined;
}

/** A gateway that was mapped for one site is not claimed for another. Pure. */
export const siteFault = (
  { siteId, siteKey }: Pick<CodeRow, 'siteId' | 'siteKey'>,
  named: string | undefined,
) => (named === undefined || named === siteId || named === siteKey ? undefined : 'other_site');

/** Counts a refusal, and raises the alarm when a used code is tried by another key. */
async function note(
  trx: Db,
  accountId: string,
  code: CodeRow | undefined,
  why: Fault | undefined,
  at: Date,
  ip?: string,
): Promise<void> {
  if (!code || typeof why === 'number') return;
  const isReuse = why === 'used';
  await claims.change(trx, accountId, code.id, {
    ...{ failures: code.failures + 1, failedAt: at },
    ...(isReuse && { reusedAt: at }),
  });
  const action = isReuse ? 'gateway.claim_reused' : 'gateway.claim_refused';
  const details = { codeId: code.id, why };
  await audit(trx, {
    ...{ accountId, at, personId: null, action, subjectId: code.gatewayId, details },
    ...(why !== undefined && { result: 'refused', reason: why }),
    ...(ip !== undefined && { ip }),
  });
}

function refusal(why: Fault): AppError {
  if (typeof why === 'number')
    return new AppError('too_many_requests', 'the code was refused too often', { retryAfterS: why });
  return new AppError('claim_refused', `claim refused: ${why}`, { details: { why } });
}

/** Enough to start with, for a gateway that has no configuration yet: what it is to read comes as an offer. */
function replyOf(code: CodeRow, natsUrl: string): Omit<ClaimReply, 'cloudKey' | 'credentials'> {
  const { gatewayId, name, timezone, siteId, siteKey } = code;
  const config = stringify({
    ...{ version: 1, gatewayId, name: name.en, site: siteKey, timezone },
    ...{ nats: { url: natsUrl }, connections: [] },
  });
  return { gatewayId, name: name.en, timezone, site: { id: siteId, key: siteKey }, natsUrl, config };
}
