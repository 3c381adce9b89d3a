import { setTimeout as sleep } from 'node:timers/promises';
import { type Driver, DriverError, type WriteOrder, type Written } from '@parkline/kit';
import { explain } from './run.ts';

/** The longest time a device has to take a value and show it, ms. */
const ANSWER_MS = 70_000;
/** How often a point is given back before it is left as it is, and the pause between, ms. */
const TRIES = 3;
const PAUSE_MS = 1_000;

/** A write that is allowed. */
export interface Errand {
  readonly driver: Pick<Driver, 'write'>;
  readonly order: WriteOrder;
  /** What gives the point back; undefined: the value stays. */
  readonly back: { readonly value: number | null } | undefined;
  readonly holdS: number;
}

export interface Held {
  readonly written: Written;
  /** The point was given back. */
  readonly released: boolean;
}

/**
 * Writes a value, holds it until its time is over or `signal` aborts, and gives the point back. The signal never cuts a write
 * short: a value that may have arrived is given back, also when the device did not answer.
 * @param say Told what a person must know, a line each.
 * @throws DriverError when the value was not written, or nobody knows.
 */
export async function writeAndGiveBack(
  errand: Errand,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Held> {
  const { order, back, holdS } = errand;
  if (signal.aborted) throw new DriverError('aborted', 'nothing was written', order.ref.address);
  let written: Written;
  try {
    written = await send(errand, order);
  } catch (error) {
    if (isUnknown(error) && back) await giveBack(errand, back.value, say);
    throw error;
  }
  if (!back) return { written, released: false };
  say(`held for ${holdS} s; Ctrl-C gives it back at once`);
  await sleep(holdS * 1_000, undefined, { signal }).catch(() => undefined); // Ctrl-C ends the holding.
  return { written, released: await giveBack(errand, back.value, say) };
}

const send = async ({ driver }: Errand, order: WriteOrder): Promise<Written> => {
  if (!driver.write) throw new DriverError('refused', 'the protocol cannot write', order.ref.address);
  return driver.write(order, AbortSignal.timeout(ANSWER_MS));
};

/** Whether the device may show the value although the write failed. */
const isUnknown = (error: unknown): boolean =>
  !(error instanceof DriverError) || (error.code !== 'refused' && error.code !== 'config');

async function giveBack(errand: Errand, value: number | null, say: (line: string) => void): Promise<boolean> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      await send(errand, { ...errand.order, value });
      return true;
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      if (left === 0 || !isUnknown(error)) {
        say(`NOT given back: ${explain(error)}`);
        return false;
      }
      await sleep(PAUSE_MS);
    }
  }
}
