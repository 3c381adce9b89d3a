import type { KeyObject } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { HitFailpoint } from './failpoint.ts';
import type { Message } from './store.ts';

export interface IngestDeps {
  /** As parkline_ingest, at least four connections. */
  readonly pool: Pool;
  /** As the user of the CORE account. */
  readonly nats: NatsConnection;
  /** Answers gateways; its user may do nothing else. Absent: `nats` answers. */
  readonly responder?: NatsConnection;
  /** Servers of a cluster that hold each message; absent: 1. */
  readonly replicas?: number;
  /** Ed25519 private key of the cloud: signs receipts. */
  readonly signingKey: KeyObject;
  readonly now: () => Date;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly metrics?: Registry;
  readonly failpoint?: HitFailpoint;
}

/** A message beside its acknowledgement. */
export interface Delivery extends Message {
  readonly ack: () => void;
}
