import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';

/** What each server says of its own configuration. Only the account CORE may ask beside the system account, by an import. */
export const SERVER_STATE = '$SYS.REQ.SERVER.PING.VARZ';
/** Under which CORE asks for it. */
export const SERVER_STATE_IN_CORE = 'server.state';

/** Oldest version that parses requests to JetStream strictly, which closes the purge through a reply subject. */
const OLDEST: readonly [number, number] = [2, 14];
/** No server of a cluster takes longer to say how it is configured. */
const ANSWER_MS = 2_000;

/** The message server could lose what it acknowledged, or let one gateway delete another's messages. */
export class UnsafeServerError extends Error {
  readonly code = 'unsafe_server';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`the message server is not safe to use: ${faults.join('; ')}`);
    this.name = 'UnsafeServerError';
    this.faults = faults;
  }
}

export interface ServerCheckDeps {
  readonly nats: Pick<NatsConnection, 'requestMany'>;
  /** Where each server of a cluster answers how it is configured (VARZ of the system account). */
  readonly subject: string;
  /** In production an unsafe server ends the process; else it is told. */
  readonly isProduction: boolean;
  readonly log: Logger;
}

/** @throws UnsafeServerError in production, naming every fault of every server. */
export async function checkServers({ nats, subject, isProduction, log }: ServerCheckDeps): Promise<void> {
  const faults = serverFaults(await statesOf(nats, subject));
  if (faults.length === 0) return;
  if (isProduction) throw new UnsafeServerError(faults);
  log.warn({ faults }, 'message server is for development only');
}

async function statesOf(nats: Pick<NatsConnection, 'requestMany'>, subject: string): Promise<unknown[]> {
  const states: unknown[] = [];
  try {
    const options = { strategy: 'stall', stall: 300, maxWait: ANSWER_MS } as const;
    for await (const reply of await nats.requestMany(subject, '', options)) states.push(reply.json());
  } catch {
    // Nobody may be there to answer; what has come so far counts.
  }
  return states;
}

/** What one server says of itself, as far as it is looked at. */
interface ServerState {
  readonly server_name?: string;
  readonly version?: string;
  readonly jetstream?: { readonly config?: { readonly strict?: boolean; readonly sync_always?: boolean } };
}

/** What is wrong with servers that described themselves like this; pure. */
export function serverFaults(replies: readonly unknown[]): string[] {
  const states = replies.map((reply) => (reply as { data?: ServerState } | null)?.data);
  if (states.length === 0)
    return ['it does not say how it is configured: run it in operator mode, as deploy/nats does'];
  return states.flatMap((state) => {
    const config = state?.jetstream?.config;
    const faults: string[] = [];
    if (!isNewEnough(state?.version ?? ''))
      faults.push(`version ${state?.version ?? '?'} is older than ${OLDEST.join('.')}`);
    if (config?.strict !== true)
      faults.push('jetstream strict is not true: remove the line from its configuration');
    if (config?.sync_always !== true) faults.push('jetstream sync_interval is not always');
    return faults.map((fault) => `${state?.server_name ?? 'a server'}: ${fault}`);
  });
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
