import { type KeyObject, verify } from 'node:crypto';
import { decodeEnvelope, encodeEnvelope, Receipt, SignedText } from '@parkline/contract';
import type { Logger } from 'pino';
import type { TSchema, Static } from 'typebox';
import { Value } from 'typebox/value';
import type { FaultLog } from '../base/fault-log.ts';
import { type Outbox, OutboxError, type Received } from '../pipeline/outbox.ts';
import { areOrdered, type Range } from '../pipeline/ranges.ts';

/** Why bytes are not a receipt for us. 'ahead': it names messages this outbox never wrote, so the file was rolled back. */
export type ReceiptFault = 'unreadable' | 'signature' | 'schema' | 'gateway' | 'epoch' | 'ranges' | 'ahead';

export type CheckedReceipt = { ok: true; receipt: Receipt } | { ok: false; why: ReceiptFault };

export interface ReceiptAddress {
  readonly cloudKey: KeyObject;
  readonly gatewayId: string;
  readonly epoch: string;
  readonly lastSeq: number;
}

/**
 * Believes a receipt only when the cloud signed it for this gateway and this outbox file: rows are deleted on its word.
 * Never throws, whatever the bytes.
 */
export function checkReceipt(bytes: Uint8Array, us: ReceiptAddress): CheckedReceipt {
  const signed = parseAs(SignedText, Buffer.from(bytes).toString('utf8'));
  if (!signed) return { ok: false, why: 'unreadable' };
  const signature = Buffer.from(signed.sig, 'base64url');
  if (!verify(null, Buffer.from(signed.body), us.cloudKey, signature)) return { ok: false, why: 'signature' };
  const receipt = parseAs(Receipt, signed.body);
  if (!receipt) return { ok: false, why: 'schema' };
  if (receipt.gatewayId !== us.gatewayId) return { ok: false, why: 'gateway' };
  if (receipt.epoch !== us.epoch) return { ok: false, why: 'epoch' };
  if (!areOrdered(receipt.ranges)) return { ok: false, why: 'ranges' };
  if ((receipt.ranges.at(-1)?.[1] ?? 0) > us.lastSeq) return { ok: false, why: 'ahead' };
  return { ok: true, receipt };
}

export interface ReceiptsDeps {
  readonly outbox: Pick<Outbox, 'epoch' | 'lastSeq' | 'receive' | 'renew'>;
  readonly gatewayId: string;
  readonly cloudKey: KeyObject;
  /** Ed25519 by the gateway's key. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** Unix ms. */
  readonly now: () => number;
  readonly log: Pick<Logger, 'error'>;
  readonly faults: FaultLog;
  readonly onReceipt: (ranges: readonly Range[], effect: Received) => void;
}

/** Takes every message that claims to be a receipt; applies the ones to believe. Never throws but for a damaged outbox. */
export function createReceipts(deps: ReceiptsDeps): (bytes: Uint8Array) => void {
  const { outbox, gatewayId, cloudKey, faults } = deps;
  let latestAt = 0; // By the cloud's clock. An older receipt overtaken on the way may add, but takes nothing back.

  function apply({ ranges, at }: Receipt): void {
    const effect = outbox.receive(ranges, at >= latestAt, deps.now());
    latestAt = Math.max(latestAt, at);
    deps.onReceipt(ranges, effect);
  }

  /** An older copy of the file gave numbers again that the cloud has, and so takes for told: they all go under another name. */
  function renew(): void {
    const facts = { lastSeq: outbox.lastSeq(), epoch: outbox.epoch };
    outbox.renew((envelope, epoch) => reseal(envelope, epoch, deps.sign));
    deps.log.error(
      facts,
      'outbox file is older than what the cloud holds: was it restored? What waits goes again',
    );
    deps.onReceipt([], { received: 0, lostFrom: 1 });
  }

  return (bytes) => {
    try {
      const checked = checkReceipt(bytes, {
        cloudKey,
        gatewayId,
        epoch: outbox.epoch,
        lastSeq: outbox.lastSeq(),
      });
      if (checked.ok) apply(checked.receipt);
      else if (checked.why === 'ahead') renew();
      else faults.fault('receipt-refused', 'receipt refused', { why: checked.why });
    } catch (err) {
      if (!(err instanceof OutboxError) || err.code !== 'disk') throw err;
      faults.fault('receipt-apply', 'receipt could not be written down', { err }); // It will be sent again.
    }
  };
}

/** @throws Error on a message that we did not write. */
function reseal(envelope: Uint8Array, epoch: string, sign: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const decoded = decodeEnvelope(envelope);
  if (!decoded.ok) throw new Error(`a message of our own outbox cannot be read: ${decoded.why}`);
  const { header, payload } = decoded.envelope;
  return encodeEnvelope({ ...header, epoch }, payload, sign);
}

function parseAs<T extends TSchema>(schema: T, json: string): Static<T> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return Value.Check(schema, value) ? value : undefined;
  } catch {
    return undefined; // Not JSON: the caller names the fault.
  }
}
