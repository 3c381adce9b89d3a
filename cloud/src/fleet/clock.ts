import './tables.ts';
import type { ClientBase } from 'pg';
import type { Db } from '../platform/db.ts';

/** A clock further off than this is shown. */
export const CLOCK_OFF_MS = 2_000;
/** A clock further off than this stamps nothing that is billed. */
export const CLOCK_HELD_MS = 60_000;

/** Reports nearer to each other than this may have waited in one queue, and so prove nothing together. */
const APART_MS = 5_000;
/** Two reports agree when they differ by no more. */
const AGREE_MS = 2_000;

/** A health report as a look at a clock. */
export interface ClockReport {
  /** Unix ms of the gateway's clock when it was written. */
  readonly at: number;
  /** How far that is ahead of the cloud's clock on arrival: what the way took makes it less, never more. ms. */
  readonly offMs: number;
}

/**
 * How far a clock is off, once two reports in a row agree; else undefined, and what was known before holds. One alone may
 * have waited for a process that was stopped; in a row those differ by the time between them. Of two that agree the one that
 * came faster is nearer the truth. Pure.
 */
export function agreedSkew(before: ClockReport | undefined, report: ClockReport): number | undefined {
  if (!before || report.at - before.at < APART_MS) return undefined;
  const isAgreed = Math.abs(report.offMs - before.offMs) <= AGREE_MS;
  return isAgreed ? Math.max(before.offMs, report.offMs) : undefined;
}

/** Whether a report is kept for the next to be compared with: not if it only repeats one of a moment ago. Pure. */
export const isFresh = (before: ClockReport | undefined, { at, offMs }: ClockReport): boolean =>
  !before || Math.abs(at - before.at) >= APART_MS || Math.abs(offMs - before.offMs) > AGREE_MS;

export type ClockState = 'good' | 'off' | 'held';

/** good: nothing to see. off: shown. held: what it stamps is kept and not billed. Pure. */
export function clockState(skewMs: number): ClockState {
  const off = Math.abs(skewMs);
  return off > CLOCK_HELD_MS ? 'held' : off > CLOCK_OFF_MS ? 'off' : 'good';
}

/** Takes a report of a gateway whose row exists and is not changed by anybody else meanwhile. */
export async function recordClock(trx: Db, gatewayId: string, report: ClockReport, at: Date): Promise<void> {
  const row = await trx
    .selectFrom('gatewayStatus')
    .select(['clockReportAt', 'clockReportOffMs'])
    .where('gatewayId', '=', gatewayId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const before =
    row.clockReportAt === null
      ? undefined
      : { at: Number(row.clockReportAt), offMs: Number(row.clockReportOffMs) };
  const skewMs = agreedSkew(before, report);
  if (skewMs === undefined && !isFresh(before, report)) return;
  await trx
    .updateTable('gatewayStatus')
    .set({
      ...{ clockReportAt: String(report.at), clockReportOffMs: String(report.offMs) },
      ...(skewMs !== undefined && { clockSkewMs: String(skewMs), clockMeasuredAt: at }),
    })
    .where('gatewayId', '=', gatewayId)
    .execute();
}

/** Of these gateways, those whose clock is so far off that what they send is kept and not billed. As ingest. */
export async function gatewaysHeld(
  client: ClientBase,
  gatewayIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ id: string }>(
    'select gateway_id as id from gateway_status where gateway_id = any($1) and abs(clock_skew_ms) > $2',
    [gatewayIds, CLOCK_HELD_MS],
  );
  return new Set(rows.map(({ id }) => id));
}
