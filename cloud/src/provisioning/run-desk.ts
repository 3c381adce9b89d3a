import './tables.ts';
import { createPublicKey } from 'node:crypto';
import { type ConfigOffer, type GatewayAsk, subjects } from '@parkline/contract';
import { sql } from 'kysely';
import { OFFLINE_AFTER_MS } from '../fleet/index.ts';
import { audit } from '../identity/index.ts';
import type { Db } from '../platform/db.ts';
import { runListener } from '../platform/listen.ts';
import { fillSecrets } from './config-make.ts';
import { answerCalls } from './desk-calls.ts';
import { type DeskDeps, signText } from './desk-deps.ts';
import { textHash } from './present.ts';

/** Longest time until a gateway that came back is noticed. */
const LOOK_MS = 1_000;
const AT_ONCE = 20;
/** How often it is looked for gateways whose first value has come. */
const STEPS_MS = 2_000;

/** The desk for gateways: hears their calls, sends them configurations and questions; until `signal` aborts. Any number may run. */
export async function runDesk(deps: DeskDeps, signal: AbortSignal): Promise<void> {
  const answering = answerCalls(deps, signal);
  const { wait, log, now } = deps;
  let woken = new AbortController();
  const wake = (): void => woken.abort();
  const listening = runListener(
    { ...deps, channel: 'parkline_desk', onNotice: wake, onConnect: wake },
    signal,
  );
  let [failures, stepsAt, isTold] = [0, 0, false];
  while (!signal.aborted) {
    woken = new AbortController();
    try {
      if (!isTold) await tellKey(deps);
      isTold = true;
      await sendConfigs(deps);
      await sendAsks(deps);
      if (now().getTime() >= stepsAt) {
        await noteSteps(deps);
        stepsAt = now().getTime() + STEPS_MS;
      }
      failures = 0;
    } catch (err) {
      if (failures % 60 === 0) log.warn({ err, failures }, 'gateways not served');
      failures += 1;
    }
    await wait(LOOK_MS, AbortSignal.any([signal, woken.signal]));
  }
  await Promise.all([listening, answering]);
}

/** Whoever holds the cloud's key tells the public half of it, for the gateways that are claimed. */
async function tellKey({ db, signingKey, now }: Pick<DeskDeps, 'db' | 'signingKey' | 'now'>): Promise<void> {
  const publicKey = createPublicKey(signingKey).export({ type: 'spki', format: 'pem' }).toString();
  const row = { publicKey, at: now() };
  await db
    .insertInto('cloudKey')
    .values(row)
    .onConflict((conflict) => conflict.column('onlyOne').doUpdateSet(row))
    .execute();
}

/** Sends what waits to gateways that are there; what cannot be filled in is refused with the reason. @returns how many. */
export async function sendConfigs(deps: Omit<DeskDeps, 'pool' | 'wait'>): Promise<number> {
  const { db, nats, now, secrets, signingKey, log } = deps;
  return db.transaction().execute(async (trx) => {
    const at = now();
    const waiting = await trx
      .selectFrom('gatewayConfig as c')
      .innerJoin('gatewayStatus as s', 's.gatewayId', 'c.gatewayId')
      .innerJoin('gateway as g', 'g.id', 'c.gatewayId')
      .select(['c.id', 'c.n', 'c.accountId', 'c.gatewayId', 'c.yaml'])
      .where('c.state', '=', 'waiting')
      .where('g.revokedAt', 'is', null)
      .where('s.heardAt', '>=', new Date(at.getTime() - OFFLINE_AFTER_MS))
      .orderBy('c.id')
      .limit(AT_ONCE)
      .forUpdate('c')
      .skipLocked()
      .execute();
    for (const { id, n, accountId, gatewayId, yaml: marked } of waiting) {
      const set = (change: object) =>
        trx.updateTable('gatewayConfig').set(change).where('id', '=', id).execute();
      try {
        const yaml = await fillSecrets(trx, secrets, { accountId, gatewayId, yaml: marked });
        const offer: ConfigOffer = { gatewayId, yaml, at: at.getTime() };
        await set({ state: 'sent', offeredAt: at, sentHash: textHash(yaml) });
        nats.publish(subjects.config(gatewayId), signText(offer, signingKey));
        log.info({ gatewayId, n }, 'configuration sent');
      } catch (err) {
        const why = (err instanceof Error ? err.message : String(err)).slice(0, 1_000);
        await set({ state: 'refused', why, endedAt: at });
        log.warn({ err, gatewayId, n }, 'configuration cannot be signed');
      }
    }
    return waiting.length;
  });
}

/** How long an unanswered question waits before it goes again, */
const AGAIN_MS = 5_000;
/** and one for new keys that were made: the gateway starts again with them. */
const RESTART_MS = 60_000;
/** A question that was sent holds so long: one that somebody kept is worth nothing later. */
const HOLDS_MS = 600_000;

/** Asks gateways that are there what waits to be asked, again until it is answered or over. @returns how many. */
export async function sendAsks({
  db,
  nats,
  now,
  signingKey,
}: Omit<DeskDeps, 'pool' | 'wait'>): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const at = now();
    await endAsks(trx, at);
    const before = (ms: number): Date => new Date(at.getTime() - ms);
    const waiting = await trx
      .selectFrom('gatewayAsk as a')
      .innerJoin('gatewayStatus as s', 's.gatewayId', 'a.gatewayId')
      .innerJoin('gateway as g', 'g.id', 'a.gatewayId')
      .select(['a.id', 'a.gatewayId', 'a.what', 'a.lines', 'a.expiresAt'])
      .where('a.answeredAt', 'is', null)
      .where('a.expiresAt', '>', at)
      .where('g.revokedAt', 'is', null)
      .where('s.heardAt', '>=', before(OFFLINE_AFTER_MS))
      .where((eb) => {
        const wasMade = eb.and([eb('a.what', '=', 'rotate'), eb('g.nextPublicKey', 'is not', null)]);
        return eb.or([
          eb('a.sentAt', 'is', null),
          eb('a.sentAt', '<', before(RESTART_MS)),
          eb.and([eb('a.sentAt', '<', before(AGAIN_MS)), eb.not(wasMade)]),
        ]);
      })
      .orderBy('a.sentAt', (order) => order.asc().nullsFirst())
      .orderBy('a.id')
      .limit(AT_ONCE)
      .forUpdate('a')
      .skipLocked()
      .execute();
    for (const { id, gatewayId, what, lines, expiresAt } of waiting) {
      const holdsUntil = Math.min(expiresAt.getTime(), at.getTime() + HOLDS_MS);
      const about = { id, gatewayId, what, at: at.getTime(), expiresAt: holdsUntil };
      const ask: GatewayAsk = { ...about, ...(lines !== null && { lines }) };
      await trx.updateTable('gatewayAsk').set({ sentAt: at }).where('id', '=', id).execute();
      nats.publish(subjects.ask(gatewayId), signText(ask, signingKey));
    }
    return waiting.length;
  });
}

/** Takes away what is over. That a gateway did not change its keys in all the time is worth a line of the audit. */
async function endAsks(trx: Db, at: Date): Promise<void> {
  const over = await trx
    .deleteFrom('gatewayAsk')
    .where('expiresAt', '<', new Date(at.getTime() - 60_000))
    .returning(['accountId', 'gatewayId', 'what', 'askedAt', 'answeredAt'])
    .execute();
  for (const { accountId, gatewayId, what, askedAt, answeredAt } of over) {
    if (what !== 'rotate' || answeredAt) continue;
    const deed = { accountId, at, personId: null, action: 'gateway.rotation_expired', subjectId: gatewayId };
    await audit(trx, { ...deed, details: { askedAt } });
  }
}

/** Steps of setting a gateway up that nobody tells: it is heard, and a first value is there. */
async function noteSteps({ db, now }: Pick<DeskDeps, 'db' | 'now'>): Promise<void> {
  await sql`update gateway g set connected_at = s.heard_at from gateway_status s
    where s.gateway_id = g.id and g.connected_at is null and s.heard_at is not null`.execute(db);
  await sql`update gateway g set first_value_at = ${now()} where g.first_value_at is null and exists (
    select from equipment e join point p on p.equipment_id = e.id join point_latest l on l.point_num = p.num
    where e.gateway_id = g.id and l.value is not null)`.execute(db);
}
