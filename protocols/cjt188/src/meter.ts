import { setTimeout as sleep } from 'node:timers/promises';
import { DriverError } from '@parkline/kit';
import type { MeterLine, Told } from '@parkline/kit/meters';
import { METERING, VALVE } from './address.ts';
import { type Answer, type Asked, controls, findAnswer, type IdOrder, question } from './frame.ts';

/** How a meter is reached. */
export interface MeterPlace {
  readonly type: string;
  readonly address: string;
  readonly idOrder: IdOrder;
}

/** The metering data, or why the meter does not give it. */
export type Reply = { readonly beganAt: number; readonly at: number } & (
  { readonly payload: Uint8Array } | { readonly refused: string }
);

export interface Meter {
  /** Rejects with DriverError 'timeout', 'lost' or 'aborted'. */
  read(signal: AbortSignal): Promise<Reply>;
  /** Tells the valve to open or close. Rejects with DriverError 'refused', too. */
  move(order: 'open' | 'close', signal: AbortSignal): Promise<void>;
}

const VALVE_ORDERS = { open: 0x55, close: 0x99 } as const;

/** One meter. Every question has a serial number that its answer must show, so that no late answer is ever taken for another's. */
export function createMeter(line: MeterLine, place: MeterPlace): Meter {
  const meter = `${place.type} ${place.address}`;
  let serial = Math.floor(Math.random() * 256); // A restart must not begin where late answers are.

  function ask(
    what: Pick<Asked, 'control' | 'item'>,
    data: readonly number[],
    signal: AbortSignal,
  ): Promise<Told<Answer>> {
    serial = (serial + 1) % 256;
    const asked: Asked = { ...place, ...what, serial };
    const bytes = question(asked, data);
    return line.ask({ meter, bytes, find: (heard) => findAnswer(heard, asked) }, signal);
  }

  return {
    async read(signal) {
      const { answer, ...times } = await ask({ control: controls.read, item: METERING }, [], signal);
      return answer.kind === 'data'
        ? { ...times, payload: answer.payload }
        : { ...times, refused: answer.why };
    },
    async move(order, signal) {
      const { answer } = await ask({ control: controls.write, item: VALVE }, [VALVE_ORDERS[order]], signal);
      if (answer.kind === 'refused') throw new DriverError('refused', answer.why, `meter ${meter}`);
    },
  };
}

/** Waits, or rejects with DriverError 'aborted'. */
export async function pause(ms: number, signal: AbortSignal, where: string): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((cause: unknown) => {
    throw new DriverError('aborted', 'given up', where, { cause });
  });
}
