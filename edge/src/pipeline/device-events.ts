import type { GatewayEvent } from '@parkline/contract';
import type { DeviceEvent } from '@parkline/kit';
import type { FaultLog } from '../base/fault-log.ts';
import type { EventLane } from './events.ts';
import { OutboxError } from './outbox.ts';

/** Events that wait for a disk that takes none; beyond that the oldest goes, and the log says so. */
const MOST_WAITING = 1_000;
const ADDRESS_LENGTH = 200;
const TEXT_LENGTH = 1_000;

export interface DeviceEventsDeps {
  readonly events: EventLane;
  readonly newId: () => string;
  /** Unix ms. */
  readonly now: () => number;
  readonly faults: FaultLog;
}

/**
 * Sends on what devices report by themselves. What the disk does not take waits in memory and goes with the next one.
 * @throws OutboxError 'corrupt', like everything that writes to the outbox.
 */
export function createDeviceEvents({ events, newId, now, faults }: DeviceEventsDeps) {
  const waiting: GatewayEvent[] = [];
  return (equipmentId: string, { at, address, state, text }: DeviceEvent): void => {
    waiting.push({
      ...{ type: 'device-alarm', id: newId(), equipmentId, state },
      at: Number.isSafeInteger(at) && at >= 0 ? at : now(), // A device's clock may say anything.
      address: address.slice(0, ADDRESS_LENGTH),
      text: text.slice(0, TEXT_LENGTH),
    });
    try {
      for (let next = waiting[0]; next; next = waiting[0]) {
        events.add(next);
        waiting.shift();
      }
      faults.over('device-events', 'events of devices are kept again');
    } catch (err) {
      if (!(err instanceof OutboxError) || err.code !== 'disk') throw err;
      const lost = waiting.length > MOST_WAITING ? waiting.shift() : undefined;
      const why = lost ? 'the oldest is lost' : 'they wait in memory';
      faults.fault('device-events', 'events of devices cannot be written', { err, why });
    }
  };
}
