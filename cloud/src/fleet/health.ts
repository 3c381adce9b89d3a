import { createPublicKey, verify } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import { allHealth, GatewayHealth, gatewayOfSubject, SignedText } from '@parkline/contract';
import type { Logger } from 'pino';
import { Value } from 'typebox/value';
import type { Now } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { status } from './status.ts';

export interface HealthDeps {
  /** As parkline_ingest. */
  readonly db: Db;
  readonly now: Now;
  readonly log: Logger;
}

/** Why a health message was not believed. */
export type HealthFault = 'shape' | 'unknown gateway' | 'signature' | 'another gateway';
export type HealthResult = { ok: true } | { ok: false; why: HealthFault };

/** Believes a health message only from the gateway that its subject names: signed by its key, and about itself. */
export async function receiveHealth(
  deps: HealthDeps,
  subject: string,
  data: Uint8Array,
): Promise<HealthResult> {
  const gatewayId = gatewayOfSubject(subject);
  const signed = parseAs(SignedText, data);
  if (!signed) return { ok: false, why: 'shape' };
  const gateway = await status.signerOf(deps.db, gatewayId);
  if (!gateway || gateway.keys.length === 0) return { ok: false, why: 'unknown gateway' };
  if (!gateway.keys.some((key) => isSignedBy(key, signed))) return { ok: false, why: 'signature' };
  const health = parseAs(GatewayHealth, new TextEncoder().encode(signed.body));
  if (!health) return { ok: false, why: 'shape' };
  if (health.gatewayId !== gatewayId) return { ok: false, why: 'another gateway' };
  await status.recordHealth(deps.db, gateway.accountId, health, deps.now());
  return { ok: true };
}

/** Takes the health of all gateways until `signal` aborts. A message lost here is followed by the next within 10 s. */
export async function runHealth(
  deps: HealthDeps & { readonly nats: NatsConnection },
  signal: AbortSignal,
): Promise<void> {
  // One queue: of several processes one stores each message.
  const subscription = deps.nats.subscribe(allHealth, { queue: 'health' });
  const stop = () => subscription.unsubscribe();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  for await (const { subject, data } of subscription) {
    try {
      const result = await receiveHealth(deps, subject, data);
      if (!result.ok) deps.log.warn({ subject, why: result.why }, 'health not believed');
    } catch (err) {
      deps.log.warn({ err, subject }, 'health not stored');
    }
  }
}

function parseAs<T extends typeof SignedText | typeof GatewayHealth>(schema: T, data: Uint8Array) {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
    return Value.Check(schema, value) ? value : undefined;
  } catch {
    return undefined; // Not UTF-8 or not JSON: the caller reports it as "shape".
  }
}

function isSignedBy(publicKey: string, { body, sig }: SignedText): boolean {
  const signature = Buffer.from(sig, 'base64url');
  return signature.length === 64 && verify(null, Buffer.from(body), createPublicKey(publicKey), signature);
}
