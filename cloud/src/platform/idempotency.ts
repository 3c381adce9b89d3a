import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import type { Actor } from './access.ts';
import type { Now } from './clock.ts';
import { type Db, withActor } from './db.ts';
import { AppError, badField } from './errors.ts';
import type { Retention } from './retention.ts';

declare module './db.ts' {
  interface Tables {
    idempotencyKey: {
      accountId: string;
      actorId: string;
      key: string;
      personId: string;
      tenantId: string | null;
      requestHash: Buffer;
      attempt: number;
      begunAt: Date;
      doneAt: Date | null;
      status: number | null;
      headers: unknown;
      body: string | null;
    };
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer holds a secret that is shown once: it is not kept, and a repeated request is told so. */
    once?: boolean;
  }
  interface FastifyRequest {
    /** The key that this request is carried out under. */
    claim: Claim | null;
  }
}

/** A request that has its key in hand. */
interface Claim {
  readonly actor: Actor;
  readonly key: string;
  readonly attempt: number;
}

type Begun =
  | { readonly is: 'new'; readonly claim: Claim }
  | { readonly is: 'answered'; readonly status: number; readonly headers: object; readonly body: string }
  | { readonly is: 'running' | 'done' | 'other' };

/** How long an answer is kept. */
const KEEP_MS = 86_400_000;
/** A try that has taken longer belongs to a process that died: the next may take over. */
const GIVEN_UP_MS = 60_000;
/** Swept at once. */
const BITE = 1_000;
/** Headers that are part of an answer. */
const kept = ['content-type', 'location', 'etag'] as const;

const KEY = /^[!-~]{1,200}$/;

/**
 * A POST that names an Idempotency-Key is carried out once: sent again it gets the answer of the first time. The deed
 * marks the key in its own transaction, so there is neither one without the other whenever the process dies.
 */
export function addIdempotency(app: FastifyInstance, deps: { readonly db: Db; readonly now: Now }): void {
  app.decorateRequest('claim', null);
  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key'];
    const { actor, method } = request;
    if (method !== 'POST' || key === undefined || !actor) return undefined;
    if (typeof key !== 'string' || !KEY.test(key)) throw badKey();
    const begun = await begin(deps, actor, key, hashOf(request));
    if (begun.is === 'answered')
      return reply
        .code(begun.status)
        .headers({ ...begun.headers, 'idempotency-replayed': 'true' })
        .send(begun.body);
    if (begun.is !== 'new') throw refusal(begun.is);
    request.claim = begun.claim;
    request.actor = { ...actor, beforeCommit: (trx) => markDone(trx, begun.claim, deps.now()) };
    return undefined;
  });
  app.addHook('onSend', async (request, reply, payload) => {
    if (!request.claim) return payload;
    const { claim } = request;
    request.claim = null; // An error while this answer is sent is no second answer.
    await settle(deps, claim, request, reply, payload).catch((err: unknown) => {
      request.log.error({ err }, 'answer not kept for its idempotency key');
    });
    return payload;
  });
}

const badKey = (): AppError =>
  badField('headers.idempotency-key', {
    en: 'must be 1 to 200 visible ASCII characters',
    zh: '须为 1 至 200 个可见 ASCII 字符',
  });

const refusal = (why: 'running' | 'done' | 'other'): AppError =>
  ({
    running: () => new AppError('in_progress', 'the first request still runs', { retryAfterS: 1 }),
    done: () => new AppError('already_done', 'carried out before; the answer is not kept'),
    other: () => new AppError('unprocessable', 'the key was used for another request'),
  })[why]();

/** Runs as parkline_worker: what nobody asks for again goes, too. */
export const idempotencyRetention: Retention = {
  what: 'answers for idempotency keys',
  async drop(db, now) {
    const { numAffectedRows = 0n } = await sql`
      delete from idempotency_key where (account_id, actor_id, key) in (
        select account_id, actor_id, key from idempotency_key
        where begun_at < ${new Date(now.getTime() - KEEP_MS)} limit ${BITE})`.execute(db);
    return Number(numAffectedRows);
  },
};

const actorId = ({ apiKeyId, personId }: Actor): string => apiKeyId ?? personId;

async function begin(
  { db, now }: { readonly db: Db; readonly now: Now },
  actor: Actor,
  key: string,
  requestHash: Buffer,
): Promise<Begun> {
  const { accountId, personId, tenantId } = actor;
  const at = now();
  return withActor(db, actor, async (trx) => {
    await rowOf(trx.deleteFrom('idempotencyKey'), { actor, key })
      .where('begunAt', '<', new Date(at.getTime() - KEEP_MS))
      .execute();
    const row = { accountId, actorId: actorId(actor), key, personId, tenantId, requestHash, begunAt: at };
    const made = await trx
      .insertInto('idempotencyKey')
      .values({ ...row, attempt: 1 })
      .onConflict((c) => c.doNothing())
      .executeTakeFirst();
    if (made.numInsertedOrUpdatedRows === 1n) return { is: 'new', claim: { actor, key, attempt: 1 } };
    return seenBefore(trx, actor, key, requestHash, at);
  });
}

/** What became of the request that the key was used for; a try that died is taken over. */
async function seenBefore(trx: Db, actor: Actor, key: string, requestHash: Buffer, at: Date): Promise<Begun> {
  const found = await rowOf(trx.selectFrom('idempotencyKey').selectAll(), { actor, key })
    .forUpdate()
    .executeTakeFirst();
  if (!found) return { is: 'running' }; // Given back this very moment: the sender asks again.
  if (!found.requestHash.equals(requestHash)) return { is: 'other' };
  const { status, headers, body, attempt, begunAt, doneAt } = found;
  if (status !== null && body !== null) return { is: 'answered', status, headers: headers as object, body };
  if (doneAt) return { is: 'done' };
  if (at.getTime() - begunAt.getTime() < GIVEN_UP_MS) return { is: 'running' };
  const claim = { actor, key, attempt: attempt + 1 };
  await rowOf(
    trx.updateTable('idempotencyKey').set({ attempt: claim.attempt, begunAt: at }),
    claim,
  ).execute();
  return { is: 'new', claim };
}

/** The one row of a key. */
const rowOf = <Q extends { where(column: 'accountId' | 'actorId' | 'key', op: '=', value: string): Q }>(
  query: Q,
  { actor, key }: Pick<Claim, 'actor' | 'key'>,
): Q =>
  query.where('accountId', '=', actor.accountId).where('actorId', '=', actorId(actor)).where('key', '=', key);

/**
 * In the transaction of the deed, before it commits; one that wrote nothing marks nothing.
 * @throws AppError 'in_progress' when another try has taken over meanwhile: this one is undone.
 */
async function markDone(trx: Db, claim: Claim, at: Date): Promise<void> {
  const { rows } = await sql<{ wrote: boolean }>`
    select pg_current_xact_id_if_assigned() is not null as wrote`.execute(trx);
  if (!rows[0]?.wrote) return;
  const { numUpdatedRows } = await rowOf(trx.updateTable('idempotencyKey').set({ doneAt: at }), claim)
    .where('attempt', '=', claim.attempt)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw refusal('running');
}

/** Keeps the answer of a deed, and gives the key back where nothing was done. */
async function settle(
  { db, now }: { readonly db: Db; readonly now: Now },
  claim: Claim,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<void> {
  const { statusCode } = reply;
  await withActor(db, claim.actor, async (trx) => {
    if (statusCode >= 300) {
      const query = rowOf(trx.deleteFrom('idempotencyKey'), claim).where('attempt', '=', claim.attempt);
      // After an error of our own nobody knows: what was committed is not done a second time.
      await (statusCode < 500 ? query : query.where('doneAt', 'is', null)).execute();
      return;
    }
    const isKept = !request.routeOptions.config.once && (typeof payload === 'string' || !payload);
    const answer = { status: statusCode, headers: JSON.stringify(headersOf(reply)), body: payload ?? '' };
    await rowOf(
      trx
        .updateTable('idempotencyKey')
        .set({ doneAt: now(), ...(isKept && { ...answer, body: String(answer.body) }) }),
      claim,
    )
      .where('attempt', '=', claim.attempt)
      .execute();
  });
}

const headersOf = (reply: FastifyReply): object =>
  Object.fromEntries(
    kept.flatMap((name) => {
      const value = reply.getHeader(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** Of all that makes two requests the same; the order of keys in a body does not matter. */
function hashOf({ method, url, body }: FastifyRequest): Buffer {
  const hash = createHash('sha256').update(`${method} ${url}\n`);
  return (
    Buffer.isBuffer(body) ? hash.update(body) : hash.update(JSON.stringify(sorted(body)) ?? '')
  ).digest();
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
};
