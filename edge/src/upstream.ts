import type { KeyObject } from 'node:crypto';
import { subjects } from '@parkline/contract';
import type { Logger } from 'pino';
import type { Bell } from './base/bell.ts';
import type { Clock, Wait } from './base/clock.ts';
import type { Failpoint } from './base/failpoint.ts';
import type { FaultLog } from './base/fault-log.ts';
import { createReceipts } from './downlink/receipts.ts';
import { type HealthDeps, runHealth } from './health/report.ts';
import type { DeskDeps } from './identity/desk.ts';
import { assertStored, createLink } from './link.ts';
import type { NatsAccess } from './nats-access.ts';
import { type Outbox, OutboxError } from './pipeline/outbox.ts';
import { createUplink } from './pipeline/uplink.ts';

const PURGE_MS = 60_000;
const ASK_TIMEOUT_MS = 2_000;

export interface UpstreamDeps {
  readonly gatewayId: string;
  readonly access: Omit<NatsAccess, 'gatewayId'>;
  readonly cloudKey: KeyObject;
  readonly outbox: Outbox;
  /** How long a message stays after its receipt. */
  readonly keepMs: number;
  /** Rung when a message waits in the outbox. */
  readonly bell: Bell;
  /** Takes what claims to be a command. */
  readonly onCommand: (bytes: Uint8Array) => void;
  /** Takes what claims to be a question of the cloud. */
  readonly onAsk: (bytes: Uint8Array) => void;
  /** Takes what claims to be a configuration. */
  readonly onConfig: (bytes: Uint8Array) => void;
  /** Takes what claims to be the offer of a release. */
  readonly onUpdate: (bytes: Uint8Array) => void;
  readonly health: Omit<HealthDeps, 'gatewayId' | 'publish' | 'outbox' | 'now' | 'faults'>;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly log: Logger;
  readonly faults: FaultLog;
  readonly failpoint: Failpoint;
}

/** The way from the outbox to the cloud and back: messages up, receipts down, health on the side. */
export interface Upstream {
  /** For the gateway's own business with the cloud. */
  readonly desk: DeskDeps['link'];
  isConnected(): boolean;
  /** Asks for a piece of a release. Rejects when there is no connection or no answer. */
  askChunk(query: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** Works until `signal` aborts; then the link is closed. */
  run(signal: AbortSignal): Promise<void>;
}

export function createUpstream(deps: UpstreamDeps): Upstream {
  const { gatewayId, cloudKey, outbox, bell, clock, wait, log, faults, failpoint } = deps;
  const now = (): number => clock.now();
  const link = createLink({
    ...deps.access,
    gatewayId,
    subscriptions: {
      [subjects.receipt(gatewayId)]: (bytes) => {
        takeReceipt(bytes);
      },
      [subjects.command(gatewayId)]: deps.onCommand,
      [subjects.config(gatewayId)]: deps.onConfig,
      [subjects.ask(gatewayId)]: deps.onAsk,
      [subjects.update(gatewayId)]: deps.onUpdate,
    },
    onChange: bell.ring,
    wait,
    faults,
  });
  const uplink = createUplink({
    outbox,
    link: {
      generation: link.generation,
      async publish(messageId, envelope) {
        assertStored(await link.request(subjects.uplink(gatewayId), envelope, { messageId }));
      },
      async askReceipt() {
        const query = Buffer.from(JSON.stringify({ epoch: outbox.epoch }));
        takeReceipt(
          await link.request(subjects.receiptQuery(gatewayId), query, { timeoutMs: ASK_TIMEOUT_MS }),
        );
      },
    },
    ...{ clock, bell, log, faults, failpoint },
  });
  const takeReceipt = createReceipts({
    ...{ outbox, gatewayId, cloudKey, now, log, faults, sign: deps.health.sign },
    onReceipt: uplink.onReceipt,
  });
  const health: HealthDeps = {
    ...deps.health,
    ...{ gatewayId, outbox, now, faults },
    publish: (message) => {
      link.publish(subjects.health(gatewayId), message);
    },
  };
  return {
    isConnected: () => link.generation() > 0,
    desk: {
      generation: link.generation,
      request: (payload, timeoutMs) => link.request(subjects.desk(gatewayId), payload, { timeoutMs }),
      renew: link.renew,
    },
    askChunk: (query, timeoutMs) => link.request(subjects.updateChunk(gatewayId), query, { timeoutMs }),
    async run(signal) {
      await Promise.all([
        link.run(signal),
        uplink.run(signal),
        runHealth(health, signal),
        runPurge(deps, signal),
      ]);
    },
  };
}

/** Deletes what the cloud has held for long enough. A disk that refuses is tried again: keeping longer harms nobody. */
async function runPurge(
  { outbox, keepMs, clock, wait, faults }: UpstreamDeps,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      outbox.purge(clock.now() - keepMs);
    } catch (err) {
      if (!(err instanceof OutboxError) || err.code !== 'disk') throw err;
      faults.fault('purge', 'old messages cannot be deleted', { err });
    }
    await wait(PURGE_MS, signal);
  }
}
