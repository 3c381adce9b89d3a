import { type Driver, DriverError, type PointRef, type WriteOrder, type Written } from '@parkline/kit';
import type { WriteLimits } from '@parkline/contract';
import type { Wait } from '../base/clock.ts';
import { within } from '../base/within.ts';
import type { WritablePoint } from './check-write.ts';

/** A driver that has not answered by then is told to give up, ms. The valve of a water meter takes 20 s from end to end. */
const ANSWER_LIMIT_MS = 30_000;

/** A configured point with the driver that reaches it. */
export interface WriteTarget {
  readonly equipmentId: string;
  readonly driver: Driver;
  readonly ref: PointRef;
  readonly point: WritablePoint;
  /** The protocol can take a value back by itself (BACnet). */
  readonly hasPriorities: boolean;
}

/** refused: the device or the driver said no, nothing was written. unknown: nobody can say whether it was. */
export type Attempt =
  | { readonly kind: 'written'; readonly written: Written }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** Writes once. Never rejects and never tries again. */
export async function writeOnce(
  { driver, ref }: Pick<WriteTarget, 'driver' | 'ref'>,
  value: number | null,
  limits: WriteLimits,
  { wait, signal }: { readonly wait: Wait; readonly signal: AbortSignal },
): Promise<Attempt> {
  const { write } = driver;
  if (!write) return { kind: 'refused', why: 'the protocol of the device cannot write' };
  const order: WriteOrder = { ref, value, priority: limits.priority };
  try {
    const written = await within(ANSWER_LIMIT_MS, wait, signal, (limited) =>
      write.call(driver, order, limited),
    );
    return { kind: 'written', written };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const isNo = error instanceof DriverError && (error.code === 'refused' || error.code === 'config');
    return { kind: isNo ? 'refused' : 'unknown', why };
  }
}

/** What the device shows now; null when it shows nothing good or does not answer. Never rejects. */
export async function readNow(
  { driver, ref }: Pick<WriteTarget, 'driver' | 'ref'>,
  { wait, signal }: { readonly wait: Wait; readonly signal: AbortSignal },
): Promise<number | null> {
  try {
    const samples = await within(ANSWER_LIMIT_MS, wait, signal, (limited) => driver.read([ref], limited));
    const [sample] = samples;
    return sample?.pointId === ref.pointId ? sample.value : null;
  } catch {
    return null; // A device that does not answer shows nothing; the poll tells that it is silent.
  }
}

/** What is written to give a point back; undefined: nothing does. */
export function releaseOf(
  { hasPriorities }: Pick<WriteTarget, 'hasPriorities'>,
  limits: WriteLimits,
): { readonly value: number | null } | undefined {
  if (hasPriorities) return { value: null };
  return limits.release === undefined ? undefined : { value: limits.release };
}

/** Protocols that keep values by priority, so that a value can be taken back without knowing the one below. */
export const hasPriorities = (protocol: string): boolean => protocol === 'bacnet';
