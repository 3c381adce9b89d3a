import { createPublicKey, verify } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import {
  allDeskCalls,
  type DeskAnswer,
  GatewayCall,
  gatewayOfSubject,
  MappedPark,
  rotationText,
  SignedText,
} from '@parkline/contract';
import { sql } from 'kysely';
import Compile from 'typebox/compile';
import { audit } from '../identity/index.ts';
import type { Db } from '../platform/db.ts';
import { credentials, issuedOf, untilIssued } from './credentials.ts';
import { type DeskDeps, signText } from './desk-deps.ts';
import { administered } from './gateway-repository.ts';
import { checkKeys, keyFingerprint, provesKeys } from './keys.ts';
import { textHash } from './present.ts';

/** A call that was written longer ago, or lies ahead, is not believed: somebody may have kept it. */
const FRESH_MS = 120_000;
/** How long an answer waits for the signer; the gateway waits longer. */
const SIGNER_MS = 8_000;
/** Unpacked, so that a small message does not fill the memory. */
const MOST_BYTES = 16 * 1024 * 1024;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const isSigned = Compile(SignedText);
const isCall = Compile(GatewayCall);
const isPark = Compile(MappedPark);

/** Answers gateways that call about themselves, until `signal` aborts. One process of several answers each call. */
export async function answerCalls(deps: DeskDeps, signal: AbortSignal): Promise<void> {
  const calls = deps.responder.subscribe(allDeskCalls, { queue: 'desk' });
  const stop = (): void => calls.unsubscribe();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const running = new Set<Promise<void>>();
  for await (const message of calls) {
    const answering = answerCall(deps, message.subject, message.data, signal)
      // What is no call gets no answer: the asker chooses where an answer goes.
      .then((answer) => void (answer && message.respond(answer)))
      .catch((err: unknown) =>
        deps.log.warn({ err, subject: message.subject }, 'call of a gateway not answered'),
      )
      .finally(() => running.delete(answering));
    running.add(answering);
  }
  await Promise.all(running);
}

interface Caller {
  readonly id: string;
  readonly accountId: string;
  readonly publicKey: string | null;
  readonly nextPublicKey: string | null;
  /** The one of its keys that signed the call. */
  readonly key: string;
}

/** @returns the signed answer; undefined for whatever is not to be believed. */
export async function answerCall(
  deps: DeskDeps,
  subject: string,
  data: Uint8Array,
  signal: AbortSignal,
): Promise<string | undefined> {
  const gatewayId = gatewayOfSubject(subject);
  const signed = readJson(Buffer.from(data).toString('utf8'));
  if (!UUID.test(gatewayId) || !isSigned.Check(signed)) return undefined;
  const caller = await callerOf(deps.db, gatewayId, signed);
  const call = readJson(signed.body);
  if (!caller || !isCall.Check(call) || call.gatewayId !== gatewayId) return undefined;
  if (Math.abs(deps.now().getTime() - call.at) > FRESH_MS)
    return reply(deps, call, { ok: false, why: 'the clock of the gateway is wrong, or the call is old' });
  return reply(deps, call, await handlers[call.what](deps, caller, call as never, signal));
}

type Outcome = Omit<DeskAnswer, 'gatewayId' | 'to'>;
const done: Outcome = { ok: true, why: '' };

const reply = ({ signingKey }: DeskDeps, { gatewayId, at }: GatewayCall, outcome: Outcome): string =>
  signText({ gatewayId, to: at, ...outcome } satisfies DeskAnswer, signingKey);

/** Whose key signed; undefined for a stranger, and for a gateway that was thrown out. */
async function callerOf(db: Db, id: string, { body, sig }: SignedText): Promise<Caller | undefined> {
  const gateway = await db
    .selectFrom('gateway')
    .select(['id', 'accountId', 'publicKey', 'nextPublicKey'])
    .where('id', '=', id)
    .where('revokedAt', 'is', null)
    .executeTakeFirst();
  if (!gateway) return undefined;
  const signature = Buffer.from(sig, 'base64url');
  const key = [gateway.publicKey, gateway.nextPublicKey].find(
    (pem) => pem !== null && verify(null, Buffer.from(body), createPublicKey(pem), signature),
  );
  return key ? { ...gateway, key } : undefined;
}

type Call<W extends GatewayCall['what']> = Extract<GatewayCall, { what: W }>;
type Handler<W extends GatewayCall['what']> = (
  deps: DeskDeps,
  caller: Caller,
  call: Call<W>,
  signal: AbortSignal,
) => Promise<Outcome>;

const handlers: { readonly [W in GatewayCall['what']]: Handler<W> } = { hello, renew, rotate, mapping, logs };

/** It is connected with the key that signed this: if that is the new one of a change, the old ones are thrown out. */
async function hello({ db, now, log }: DeskDeps, caller: Caller): Promise<Outcome> {
  const { id, accountId, key } = caller;
  const at = now();
  const isNew = key === caller.nextPublicKey;
  await db.transaction().execute(async (trx) => {
    await trx
      .updateTable('gateway')
      .set({
        connectedAt: sql`coalesce(connected_at, ${at})`,
        ...(isNew && { publicKey: key, nextPublicKey: null }),
      })
      .where('id', '=', id)
      .execute();
    if (!isNew) return;
    await administered.unask(trx, accountId, id, 'rotate');
    const current = await credentialOf(trx, caller);
    const thrownOut = await credentials.revoke(trx, accountId, id, at, current?.id);
    const details = { fingerprint: keyFingerprint(key), thrownOut };
    await audit(trx, {
      accountId,
      at,
      personId: null,
      action: 'gateway.keys_changed',
      subjectId: id,
      details,
    });
    log.info({ gatewayId: id, thrownOut }, 'gateway has new keys');
  });
  await sendAgain(db, id);
  return done;
}

/** What was sent while it was away goes again: a signed offer that it knows changes nothing. */
async function sendAgain(db: Db, gatewayId: string): Promise<void> {
  await db
    .updateTable('gatewayConfig')
    .set({ state: 'waiting' })
    .where('gatewayId', '=', gatewayId)
    .where('state', '=', 'sent')
    .execute();
}

const credentialOf = (db: Db, { accountId, id, key }: Caller) =>
  db
    .selectFrom('gatewayCredential')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('gatewayId', '=', id)
    .where('signingKey', '=', key)
    .where('revokedAt', 'is', null)
    .executeTakeFirst();

async function renew(
  deps: DeskDeps,
  caller: Caller,
  _call: Call<'renew'>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { db, wait } = deps;
  const credential = await credentialOf(db, caller);
  if (!credential) return { ok: false, why: 'these keys did not come by a claim' };
  await credentials.askAgain(db, caller.accountId, credential.id);
  const look = () => credentialOf(db, caller);
  const issued = await untilIssued(look, { wait, forMs: SIGNER_MS }, signal);
  return issued ? { ...done, credentials: issued } : unsigned;
}

const unsigned: Outcome = { ok: false, why: 'the signer has not signed yet; ask again' };

/** New keys beside the old ones, until the gateway has connected with them; until then it is asked again, because the answer may be lost. */
async function rotate(
  deps: DeskDeps,
  caller: Caller,
  call: Call<'rotate'>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { db, now, newId, wait } = deps;
  const { id: gatewayId, accountId } = caller;
  // Heard with new keys already: they are in force before there are newer ones, or nothing would be if those got lost.
  if (caller.key === caller.nextPublicKey) await hello(deps, caller);
  const keys = checkKeys(call.keys);
  if (!keys || !provesKeys(keys, call.proofs, rotationText(gatewayId, call.at, call.keys)))
    return { ok: false, why: 'the new keys are not proven' };
  const look = () => credentials.byNkey(db, accountId, keys.nkey);
  const why = await db.transaction().execute(async (trx) => {
    const known = await credentials.byNkey(trx, accountId, keys.nkey);
    if (known)
      return known.gatewayId === gatewayId && !known.revokedAt ? '' : 'the new keys are known already';
    const row = { id: newId(), accountId, gatewayId, codeId: null, createdAt: now() };
    const { nkey, signing: signingKey, tls: tlsKey } = keys;
    if (!(await credentials.add(trx, { ...row, nkey, signingKey, tlsKey })))
      return 'the new keys are known already';
    await trx.updateTable('gateway').set({ nextPublicKey: signingKey }).where('id', '=', gatewayId).execute();
    return '';
  });
  if (why !== '') return { ok: false, why };
  const issued = issuedOf(await look()) ?? (await untilIssued(look, { wait, forMs: SIGNER_MS }, signal));
  return issued ? { ...done, credentials: issued } : unsigned;
}

/** What was mapped on the gateway: kept until somebody looks at it. */
async function mapping(
  { db, now, newId }: DeskDeps,
  caller: Caller,
  call: Call<'mapping'>,
): Promise<Outcome> {
  const { id: gatewayId, accountId } = caller;
  const known = await db
    .selectFrom('gatewayMapping')
    .select('id')
    .where('gatewayId', '=', gatewayId)
    .where('hash', '=', call.hash)
    .executeTakeFirst();
  if (known || call.park === undefined) return { ...done, wanted: !known };
  const park = unpacked(call.park, call.hash);
  if (!park) return { ok: false, why: 'it cannot be read, or its hash is another' };
  await db.transaction().execute(async (trx) => {
    await trx
      .updateTable('gatewayMapping')
      .set({ state: 'overtaken' })
      .where('gatewayId', '=', gatewayId)
      .where('state', '=', 'offered')
      .execute();
    await trx
      .insertInto('gatewayMapping')
      .values({
        ...{ id: newId(), accountId, gatewayId, hash: call.hash, receivedAt: now(), state: 'offered' },
        park: sql`${JSON.stringify(park)}::jsonb`,
      })
      .onConflict((conflict) => conflict.columns(['accountId', 'gatewayId', 'hash']).doNothing())
      .execute();
  });
  return { ...done, wanted: false };
}

function unpacked(packed: string, hash: string): MappedPark | undefined {
  try {
    const bytes = zstdDecompressSync(Buffer.from(packed, 'base64'), { maxOutputLength: MOST_BYTES });
    const text = bytes.toString('utf8');
    const park = readJson(text);
    return textHash(text) === hash && isPark.Check(park) ? park : undefined;
  } catch {
    return undefined; // Not zstd, or too large: the caller says so.
  }
}

/** The answer to a question that is still open. */
async function logs({ db, now }: DeskDeps, caller: Caller, call: Call<'logs'>): Promise<Outcome> {
  const { lines, truncated } = call;
  const { numUpdatedRows } = await db
    .updateTable('gatewayAsk')
    .set({ answeredAt: now(), answer: sql`${JSON.stringify({ lines, truncated })}::jsonb` })
    .where('id', '=', call.askId)
    .where('gatewayId', '=', caller.id)
    .where('what', '=', 'logs')
    .where('answeredAt', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n ? done : { ok: false, why: 'nobody waits for it any more' };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: no schema takes it.
  }
}
