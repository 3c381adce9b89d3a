import './tables.ts';
import { type KeyObject, sign } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import {
  allUpdateChunks,
  gatewayOfSubject,
  type SignedText,
  subjects,
  UpdateChunkQuery,
  type UpdateOffer,
} from '@parkline/contract';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import { Value } from 'typebox/value';
import { OFFLINE_AFTER_MS } from '../fleet/index.ts';
import type { Now, Wait } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';

const LOOK_MS = 1_000;
const AT_ONCE = 50;
/** A gateway that says and fetches nothing for so long is offered the release again, ms. */
const AGAIN_MS = 60_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface UpdateDeskDeps {
  /** As parkline_ingest. */
  readonly db: Db;
  /** May publish to gateways. */
  readonly commands: Pick<NatsConnection, 'publish'>;
  /** Answers what gateways ask. */
  readonly responder: Pick<NatsConnection, 'subscribe'>;
  /** Ed25519 private key of the cloud. */
  readonly signingKey: KeyObject;
  readonly now: Now;
  readonly wait: Wait;
  readonly log: Logger;
}

/** Offers releases to gateways that are there and hands out their chunks, until `signal` aborts. Any number may run. */
export async function runUpdates(deps: UpdateDeskDeps, signal: AbortSignal): Promise<void> {
  const answering = answerChunks(deps, signal);
  let failures = 0;
  while (!signal.aborted) {
    try {
      await sendOffers(deps);
      failures = 0;
    } catch (err) {
      if (failures % 60 === 0) deps.log.warn({ err, failures }, 'releases not offered');
      failures += 1;
    }
    await deps.wait(LOOK_MS, signal);
  }
  await answering;
}

/** What waits, what was offered long ago without a word, and what is to be taken back. @returns how many. */
export async function sendOffers({
  db,
  commands,
  signingKey,
  now,
  log,
}: Omit<UpdateDeskDeps, 'responder' | 'wait'>): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const at = now();
    const due = await trx
      .selectFrom('gatewayUpdate as u')
      .innerJoin('gatewayStatus as s', 's.gatewayId', 'u.gatewayId')
      .innerJoin('rollout as o', 'o.id', 'u.rolloutId')
      .innerJoin('release as r', 'r.id', 'o.releaseId')
      .select(['u.id', 'u.gatewayId', 'u.state', 'o.url', 'r.manifest', 'r.signature', 'r.version'])
      .where('s.heardAt', '>=', new Date(at.getTime() - OFFLINE_AFTER_MS))
      .where((eb) =>
        eb.or([
          eb('u.state', 'in', ['waiting', 'stopping']),
          eb.and([eb('u.state', '=', 'sent'), eb('u.changedAt', '<', new Date(at.getTime() - AGAIN_MS))]),
        ]),
      )
      .orderBy('u.id')
      .limit(AT_ONCE)
      .forUpdate('u')
      .skipLocked()
      .execute();
    for (const { id, gatewayId, state, url, manifest, signature, version } of due) {
      const isTakenBack = state === 'stopping';
      const offer: UpdateOffer = {
        ...{ gatewayId, at: at.getTime() },
        release: isTakenBack ? null : { body: manifest, sig: signature },
        ...(url !== null && !isTakenBack && { url }),
      };
      await trx
        .updateTable('gatewayUpdate')
        .set({ state: isTakenBack ? 'stopped' : 'sent', offeredAt: at, changedAt: at })
        .where('id', '=', id)
        .execute();
      commands.publish(subjects.update(gatewayId), signOffer(offer, signingKey));
      log.info({ gatewayId, version, state }, isTakenBack ? 'release taken back' : 'release offered');
    }
    return due.length;
  });
}

/** Hands out chunks, each only to a gateway that was offered the release. */
export async function answerChunks(deps: UpdateDeskDeps, signal: AbortSignal): Promise<void> {
  const subscription = deps.responder.subscribe(allUpdateChunks, { queue: 'updates' });
  const stop = (): void => subscription.unsubscribe();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  for await (const message of subscription) {
    try {
      message.respond(await chunkFor(deps, gatewayOfSubject(message.subject), message.data));
    } catch (err) {
      deps.log.warn({ err, subject: message.subject }, 'chunk not handed out');
    }
  }
}

/** The bytes that a gateway asks for; none when it was not offered them, or what it sent is no question. */
export async function chunkFor(
  { db, now }: Pick<UpdateDeskDeps, 'db' | 'now'>,
  gatewayId: string,
  data: Uint8Array,
): Promise<Uint8Array> {
  const query = asJson(data);
  if (!UUID.test(gatewayId) || !Value.Check(UpdateChunkQuery, query)) return new Uint8Array();
  const { rows } = await sql<{ bytes: Buffer }>`
    with asked as (
      update gateway_update u set chunks_sent = greatest(u.chunks_sent, ${query.chunk + 1}), changed_at = ${now()}
      from rollout o, release r
      where o.id = u.rollout_id and r.id = o.release_id and u.gateway_id = ${gatewayId} and u.state = 'sent'
        and r.pack_sha256 = ${query.pack}
      returning r.id
    )
    select c.bytes from asked a join release_chunk c on c.release_id = a.id and c.n = ${query.chunk} limit 1`.execute(
    db,
  );
  return rows[0]?.bytes ?? new Uint8Array();
}

function signOffer(offer: UpdateOffer, key: KeyObject): string {
  const body = JSON.stringify(offer);
  const signed: SignedText = { body, sig: sign(null, Buffer.from(body), key).toString('base64url') };
  return JSON.stringify(signed);
}

function asJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined; // Not JSON: no schema takes it.
  }
}
