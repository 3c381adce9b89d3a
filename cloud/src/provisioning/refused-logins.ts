import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Now } from '../platform/clock.ts';

/** What a message server of ours tells the system account of who it did not let in. */
export const REFUSED_LOGINS = '$SYS.SERVER.*.CLIENT.AUTH.ERR';

export interface RefusalDeps {
  /** Of the SYS account. */
  readonly system: NatsConnection;
  readonly now: Now;
  readonly log: Logger;
  readonly metrics?: Registry | undefined;
}

/** A gateway that was thrown out knocks every few seconds, for good: one line in so long says it. */
const QUIET_MS = 10_000;

interface Advisory {
  readonly client?: { readonly host?: string; readonly user?: string; readonly nkey?: string };
  readonly server?: { readonly name?: string };
  readonly reason?: string;
}

/** Counts who is not let in by the message servers, and writes a line of it, until the connection closes. */
export async function watchRefusedLogins({ system, now, log, metrics }: RefusalDeps): Promise<void> {
  const refused = new Counter({
    name: 'parkline_nats_refused_logins_total',
    help: 'Connections that the message servers refused: revoked, unknown or without proof',
    registers: metrics ? [metrics] : [],
  });
  let quietUntil = 0;
  let unsaid = 0;
  for await (const message of system.subscribe(REFUSED_LOGINS)) {
    refused.inc();
    const at = now().getTime();
    if (at < quietUntil) {
      unsaid += 1;
      continue;
    }
    log.warn({ ...factsOf(message.string()), unsaid }, 'message server refused a login');
    [quietUntil, unsaid] = [at + QUIET_MS, 0];
  }
}

/** Short words only: whoever knocks chooses some of them. Pure. */
function factsOf(text: string): Record<string, string> {
  try {
    const { client = {}, server = {}, reason } = JSON.parse(text) as Advisory;
    const facts = { ip: client.host, user: client.user ?? client.nkey, server: server.name, reason };
    return Object.fromEntries(
      Object.entries(facts).flatMap(([key, value]) =>
        typeof value === 'string' ? [[key, value.slice(0, 100)]] : [],
      ),
    );
  } catch {
    return {};
  }
}
