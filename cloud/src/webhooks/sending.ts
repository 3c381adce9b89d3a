import type { Logger } from 'pino';
import { audit } from '../identity/index.ts';
import type { Now, Wait } from '../platform/clock.ts';
import { type Db, withAccount } from '../platform/db.ts';
import { EVENT_HAPPENED, type EventPayload } from '../platform/events.ts';
import type { NewId } from '../platform/ids.ts';
import type { Retention } from '../platform/retention.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';
import { type Secrets, sealedPlace } from '../platform/secrets.ts';
import { type Due, queue } from './queue.ts';
import { deliveries } from './repository.ts';
import { hasFailedLong, nextTry } from './retry.ts';
import type { Send, Sent } from './send.ts';
import { signedHeaders } from './sign.ts';

/** Where a subscription's secret is sealed. */
export const secretPlace = (webhookId: string): string => sealedPlace('webhook', 'sealed_secret', webhookId);

/** Where one is sealed that was replaced. */
export const formerPlace = (id: string): string => sealedPlace('webhook_former_secret', 'sealed_secret', id);

/** What is sent: the kind, when it happened, what it is about (Standard Webhooks 1.0, "Payload structure"). Pure. */
export const bodyOf = (type: string, timestamp: string, data: object): string =>
  JSON.stringify({ type, timestamp, data });

/** An event becomes a delivery for each subscription that wants it. */
export const webhookJobs = ({ newId }: { readonly newId: NewId }): JobHandlers => ({
  async [EVENT_HAPPENED](trx, { accountId, key: eventId, payload }) {
    const { kind, at, data } = payload as EventPayload;
    const body = bodyOf(kind, at, data);
    await deliveries.fanOut(trx, { accountId, eventId, kind, body, createdAt: new Date(at) }, newId);
  },
});

/** The log goes back for a month. */
export const webhookRetention: readonly Retention[] = [
  {
    what: 'webhook deliveries',
    drop: (db, now) => queue.sweep(db, new Date(now.getTime() - KEEP_MS)),
  },
  { what: 'former secrets of webhooks', drop: (db, now) => queue.sweepFormers(db, now) },
];

export interface DeliverDeps {
  /** As parkline_worker. */
  readonly db: Db;
  readonly now: Now;
  readonly log: Logger;
  readonly secrets: Secrets;
  readonly send: Send;
  /** 0..1. */
  readonly chance: () => number;
}

const AT_ONCE = 16;
const POLL_MS = 1_000;
/** Time between looks while something is under way. */
const BUSY_MS = 100;
const KEEP_MS = 30 * 86_400_000;

async function deliver(deps: DeliverDeps, due: Due, signal: AbortSignal): Promise<void> {
  const sent = await attempt(deps, due, signal);
  if (signal.aborted && sent.error !== null) return; // Our own end is not the receiver's failure: its lease runs out.
  const { db, now, chance } = deps;
  const at = now();
  const nextAt = sent.error === null ? null : nextTry(due.attempts, due.firstAt, at, chance());
  const paused = await withAccount(db, due.accountId, async (trx) => {
    await queue.note(trx, due, sent, nextAt);
    if (sent.error === null) {
      await queue.noteWell(trx, due.webhookId, at);
      return undefined;
    }
    const since = await queue.noteFailing(trx, due.webhookId, at);
    const why = sent.status === 410 ? 'gone' : hasFailedLong(since, at) ? 'failing' : undefined;
    return why && (await pause(trx, due, why, at)) ? why : undefined;
  });
  const { accountId, webhookId, url } = due;
  if (paused) deps.log.warn({ accountId, webhookId, host: new URL(url).host, why: paused }, 'webhook paused');
}

async function attempt({ secrets, send, now }: DeliverDeps, due: Due, signal: AbortSignal): Promise<Sent> {
  const { id, webhookId, eventId, url, body, sealedSecret, formers } = due;
  try {
    const signing = [
      secrets.open(sealedSecret, secretPlace(webhookId)),
      ...formers.map((former) => secrets.open(former.sealed, formerPlace(former.id))),
    ];
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Parkline-Webhooks/1',
      ...signedHeaders(signing, eventId, now(), body),
    };
    return await send({ url, headers, body }, signal);
  } catch (err) {
    const error = `not sent (${id}): ${err instanceof Error ? err.message : String(err)}`;
    return { status: null, reply: null, error: error.slice(0, 500) };
  }
}

/** The portal shows it, and the audit keeps it. @returns false when it was paused before. */
async function pause(
  trx: Db,
  { accountId, webhookId }: Pick<Due, 'accountId' | 'webhookId'>,
  why: 'failing' | 'gone',
  at: Date,
): Promise<boolean> {
  if (!(await queue.pause(trx, webhookId, why, at))) return false;
  const action = 'webhook.paused';
  await audit(trx, { accountId, at, personId: null, action, subjectId: webhookId, details: { why } });
  return true;
}

/** What is under way in this process, by delivery; the value is its subscription. */
type Running = Map<Promise<void>, string>;

/** Starts what is due and has room: a receiver that is slow fills its own place only. @returns how many were started. */
export async function startDue(deps: DeliverDeps, running: Running, signal: AbortSignal): Promise<number> {
  if (running.size >= AT_ONCE) return 0;
  const due = await queue.take(deps.db, deps.now(), AT_ONCE - running.size, [...new Set(running.values())]);
  for (const one of due) {
    const work = deliver(deps, one, signal).catch((err: unknown) => {
      deps.log.warn({ err, deliveryId: one.id }, 'delivery not noted, it will be tried again');
    });
    running.set(work, one.webhookId);
    void work.then(() => running.delete(work));
  }
  return due.length;
}

/** Sends deliveries as they come due until `signal` aborts. Any number of processes may run this. */
export async function runDeliveries(
  deps: DeliverDeps & { readonly wait: Wait },
  signal: AbortSignal,
): Promise<void> {
  const { wait, log } = deps;
  const running: Running = new Map();
  let failures = 0;
  while (!signal.aborted) {
    try {
      await startDue(deps, running, signal);
      failures = 0;
    } catch (err) {
      if (failures % 60 === 0) log.warn({ err, failures }, 'webhooks not reached in the database');
      failures += 1;
    }
    await wait(running.size > 0 && failures === 0 ? BUSY_MS : POLL_MS, signal);
  }
  await Promise.all(running.keys());
}
