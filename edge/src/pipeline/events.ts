import { encodeEnvelope, type GatewayEvent } from '@parkline/contract';
import { encodeEvents } from './codec.ts';
import type { Outbox } from './outbox.ts';

/** What happened, on its way to the cloud. It travels like samples: numbered, signed, kept until its receipt. */
export interface EventLane {
  /** On disk when this returns; the gap `tellsGap` counts as told then. @throws OutboxError 'disk' when it cannot be written now; the caller keeps it. */
  add(event: GatewayEvent, tellsGap?: number): void;
}

export interface EventLaneDeps {
  readonly gatewayId: string;
  readonly outbox: Pick<Outbox, 'append'>;
  /** Ed25519 by the gateway's key. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** A message waits in the outbox. */
  readonly onAppended: () => void;
}

/** One message an event, at once: events are few, and somebody waits for them. A full outbox takes them too: they are small. */
export function createEventLane({ gatewayId, outbox, sign, onAppended }: EventLaneDeps): EventLane {
  return {
    add(event, tellsGap) {
      const { bytes, count, from, to } = encodeEvents([event]);
      outbox.append({
        kind: 'events',
        from,
        to,
        ...(tellsGap !== undefined && { tellsGap }),
        seal: (epoch, seq) =>
          encodeEnvelope({ gatewayId, epoch, seq, kind: 'events', count, from, to }, bytes, sign),
      });
      onAppended();
    },
  };
}
