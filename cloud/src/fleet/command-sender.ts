import { type KeyObject, sign } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import { type Command, type SignedText, subjects } from '@parkline/contract';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { notifyChanged } from '../platform/changes.ts';
import type { Now, Wait } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { runListener } from '../platform/listen.ts';
import { auditCommand } from './command-audit.ts';
import { ANSWER_WITHIN_MS, LIVES_MS } from './command-domain.ts';
import { type CommandRecord, commands } from './command-repository.ts';
import { OFFLINE_AFTER_MS } from './domain.ts';

export interface SenderDeps {
  /** As parkline_ingest: it alone may publish to gateways and holds the key. */
  readonly pool: Pool;
  readonly db: Db;
  readonly nats: Pick<NatsConnection, 'publish'>;
  /** Ed25519 private key of the cloud. */
  readonly signingKey: KeyObject;
  readonly now: Now;
  readonly wait: Wait;
  readonly log: Logger;
}

/** Longest time until a gateway that came back, or a command whose time is over, is noticed. */
const LOOK_MS = 1_000;
/** Commands of one transaction. */
const AT_ONCE = 50;

/** Signs and sends what is queued, at once when it is, and ends what is over by time; until `signal` aborts. Any number may run. */
export async function runCommandSender(deps: SenderDeps, signal: AbortSignal): Promise<void> {
  const { wait, log } = deps;
  let woken = new AbortController();
  const wake = (): void => woken.abort();
  const listening = runListener(
    { ...deps, channel: 'parkline_command', onNotice: wake, onConnect: wake },
    signal,
  );
  let failures = 0;
  while (!signal.aborted) {
    woken = new AbortController();
    try {
      await sendQueued(deps);
      await endOverdue(deps);
      failures = 0;
    } catch (err) {
      if (failures % 60 === 0) log.warn({ err, failures }, 'commands not sent');
      failures += 1;
    }
    await wait(LOOK_MS, AbortSignal.any([signal, woken.signal]));
  }
  await listening;
}

/**
 * One transaction. It is published before it is committed: what is published twice after a failure is carried out once, by the
 * gateway's journal; what was marked as sent and never published would be a lie. @returns how many were sent.
 */
export async function sendQueued(deps: Omit<SenderDeps, 'pool' | 'wait'>): Promise<number> {
  const { db, nats, now, log } = deps;
  return db.transaction().execute(async (trx) => {
    const at = now();
    const heardSince = new Date(at.getTime() - OFFLINE_AFTER_MS);
    const waiting = await commands.queued(trx, heardSince, AT_ONCE);
    for (const command of waiting) {
      const { id, accountId, gatewayId, pointId } = command;
      const expiresAt = new Date(at.getTime() + LIVES_MS);
      const dueAt = new Date(at.getTime() + ANSWER_WITHIN_MS);
      await commands.update(trx, accountId, id, { state: 'sent', sentAt: at, expiresAt, dueAt });
      await auditCommand(trx, { ...{ accountId, at, commandId: id, pointId }, action: 'sent' });
      await notifyChanged(trx, accountId, 'commands');
      nats.publish(subjects.command(gatewayId), signCommand(command, at, expiresAt, deps.signingKey));
      log.info({ commandId: id, gatewayId }, 'command sent');
    }
    return waiting.length;
  });
}

/** What nobody approved, what was never sent, and what was never answered. @returns how many ended. */
export async function endOverdue({ db, now, log }: Pick<SenderDeps, 'db' | 'now' | 'log'>): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const at = now();
    const overdue = await commands.due(trx, at, AT_ONCE);
    for (const { id, accountId, pointId, state } of overdue) {
      const why = whys[state] ?? '';
      await commands.update(trx, accountId, id, { state: 'expired', why, endedAt: at, dueAt: null });
      await auditCommand(trx, {
        ...{ accountId, at, commandId: id, pointId, action: 'expired' },
        details: { why },
      });
      await notifyChanged(trx, accountId, 'commands');
      log.info({ commandId: id, why }, 'command expired');
    }
    return overdue.length;
  });
}

/** By the state in which it was left. */
const whys: Readonly<Partial<Record<CommandRecord['state'], string>>> = {
  awaiting_approval: 'not_approved: nobody approved it in time',
  queued: 'not_sent: the gateway could not be reached in time',
  sent: 'no_answer: no answer came in time; one that comes later is shown',
};

/** The command as a gateway believes it: it names its addressee and is signed. */
export function signCommand(row: CommandRecord, issuedAt: Date, expiresAt: Date, key: KeyObject): string {
  const { id, gatewayId, pointId, value, holdS, reason, approverId, approverName } = row;
  const command: Command = {
    ...{ id, gatewayId, pointId, value, reason },
    ...(holdS !== null && { holdS }),
    actor: { id: row.actorId, name: row.actorName },
    approver: approverId === null ? null : { id: approverId, name: approverName ?? '' },
    issuedAt: issuedAt.getTime(),
    expiresAt: expiresAt.getTime(),
  };
  const body = JSON.stringify(command);
  const signed: SignedText = { body, sig: sign(null, Buffer.from(body), key).toString('base64url') };
  return JSON.stringify(signed);
}
