import { type KeyObject, verify } from 'node:crypto';
import { decodeEnvelope, encodeEnvelope } from '@parkline/contract';
import type { Logger } from 'pino';
import type { Outbox } from '../pipeline/outbox.ts';

export interface OutboxOwner {
  readonly gatewayId: string;
  /** Public half of the key that signs what this gateway sends. */
  readonly publicKey: KeyObject;
  /** Ed25519 by its private half. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  readonly log: Logger;
}

/**
 * Makes what waits in the outbox ours: a gateway that was read from before it was claimed, or has new keys, still holds messages
 * in its old name or under its old signature, and the cloud would believe none of them. They go again under another epoch, in
 * one transaction; what the cloud has by then is known to it by time and point. Points keep their ids.
 * @returns whether anything was changed. @throws OutboxError.
 */
export function adoptOutbox(
  outbox: Pick<Outbox, 'waiting' | 'newestWaiting' | 'tables' | 'envelope' | 'renew' | 'epoch'>,
  { gatewayId, publicKey, sign, log }: OutboxOwner,
): boolean {
  const seqs = [outbox.tables().at(-1), outbox.waiting(0, 1)[0], outbox.newestWaiting(0)];
  const isForeign = seqs.some(
    (seq) => seq !== undefined && !isOurs(outbox.envelope(seq), gatewayId, publicKey),
  );
  if (!isForeign) return false;
  const from = outbox.epoch;
  outbox.renew((envelope, epoch) => {
    const decoded = decodeEnvelope(envelope);
    if (!decoded.ok) throw new Error(`a message of our own outbox cannot be read: ${decoded.why}`);
    const { header, payload } = decoded.envelope;
    return encodeEnvelope({ ...header, gatewayId, epoch }, payload, sign);
  });
  log.info({ from, to: outbox.epoch }, 'what waits is signed anew: this gateway has another name or key');
  return true;
}

function isOurs(envelope: Uint8Array | undefined, gatewayId: string, publicKey: KeyObject): boolean {
  if (!envelope) return true; // Deleted meanwhile.
  const decoded = decodeEnvelope(envelope);
  if (!decoded.ok) return true; // Not ours to mend; the sender tells of it.
  const { header, signed, signature } = decoded.envelope;
  return header.gatewayId === gatewayId && verify(null, signed, publicKey, signature);
}
