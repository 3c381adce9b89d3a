import type { ObjectId } from './address.ts';
import { services } from './datagram.ts';
import { contextObject, contextUnsigned } from './encode.ts';
import type { Station } from './station.ts';
import { createReader, type PropertyValue } from './tags.ts';

/** A change of value, clauses 13.6 and 13.7. */
export interface CovNotification {
  readonly processId: number;
  /** Instance of the device that says it. */
  readonly device: number;
  readonly object: ObjectId;
  readonly values: readonly { readonly property: number; readonly value: readonly PropertyValue[] }[];
}

/** SubscribeCOV, clause 13.14. @param lifetimeS 0 cancels. */
export const subscribeCov = (
  station: Station,
  object: ObjectId,
  processId: number,
  isConfirmed: boolean,
  lifetimeS: number,
): Promise<void> =>
  station.request(
    services.subscribeCov,
    [
      ...[...contextUnsigned(0, processId), ...contextObject(1, object)],
      ...(lifetimeS === 0
        ? []
        : [...contextUnsigned(2, Number(isConfirmed)), ...contextUnsigned(3, lifetimeS)]),
    ],
    () => undefined,
  );

/** @throws Malformed. */
export function covNotificationIn(data: Buffer): CovNotification {
  const reader = createReader(data);
  const processId = reader.unsigned(0);
  const device = reader.object(1).instance;
  const object = reader.object(2);
  reader.unsigned(3); // Seconds that are left.
  const values: { property: number; value: readonly PropertyValue[] }[] = [];
  for (reader.open(4); !reader.isClosing(4);) {
    const property = reader.unsigned(0);
    if (reader.isContext(1)) reader.unsigned(1);
    values.push({ property, value: reader.held(2).values });
    if (reader.isContext(3)) reader.unsigned(3); // The priority of a command that led to it.
  }
  reader.close(4);
  return { processId, device, object, values };
}
