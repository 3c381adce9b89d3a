import { type KeyObject, sign } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import type { ConfigOffer, DeskAnswer, GatewayAsk, SignedText } from '@parkline/contract';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Now, Wait } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import type { Secrets } from '../platform/secrets.ts';

export interface DeskDeps {
  /** As parkline_ingest: it hears gateways of every account, and alone may publish to them. */
  readonly pool: Pool;
  readonly db: Db;
  /** Speaks to gateways. */
  readonly nats: Pick<NatsConnection, 'publish'>;
  /** Hears their calls and answers. */
  readonly responder: Pick<NatsConnection, 'subscribe'>;
  /** Ed25519 private key of the cloud. */
  readonly signingKey: KeyObject;
  /** Opens what devices log in with, for the moment in which a configuration is signed. */
  readonly secrets: Secrets;
  readonly now: Now;
  readonly wait: Wait;
  readonly newId: NewId;
  readonly log: Logger;
}

/** A message as a gateway believes it: it names its addressee and is signed. */
export function signText(body: ConfigOffer | GatewayAsk | DeskAnswer, key: KeyObject): string {
  const text = JSON.stringify(body);
  const signed: SignedText = { body: text, sig: sign(null, Buffer.from(text), key).toString('base64url') };
  return JSON.stringify(signed);
}
