import { hungAt, keepMultiplier } from '../metering/index.ts';
import type { Db } from '../platform/db.ts';
import { jobs } from '../platform/jobs.ts';
import type { NewId } from '../platform/ids.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';
import { samplesBetween } from '../telemetry/index.ts';
import {
  checkReading,
  type DisplayRead,
  multiplierOf,
  NEAR_MS,
  type Ratio,
  ratioFault,
  stateOf,
} from './domain.ts';
import { type MeterRow, meters } from './repository.ts';

export const CHECK_TASK = 'commissioning.check';
/** Readings that wait for telemetry are looked at so often, ms; and for so long. */
const AGAIN_MS = 60_000;
const PATIENCE_MS = 31 * 24 * 3_600_000;

export interface CheckDeps {
  readonly now: () => Date;
  readonly newId: NewId;
}

/**
 * Judges what was recorded of a meter against what is stored by now, and writes the outcome down; what cannot be judged yet is
 * judged again by itself. Waived stays waived.
 */
export async function checkMeter(
  trx: Db,
  accountId: string,
  meter: MeterRow,
  deps: CheckDeps,
): Promise<void> {
  const { now, newId } = deps;
  const { equipmentId, pointId } = meter;
  const ratio = ratioOf(meter);
  if (!ratio || meter.state === 'waived') return;
  const at = now();
  const nearMs = Math.max(NEAR_MS, meter.staleAfterMs);
  const checks = await Promise.all(
    readsOf(meter).map(async (read) => {
      const [from, to] = [-nearMs, nearMs + 1].map((ms) => new Date(read.at.getTime() + ms)) as [Date, Date];
      return checkReading(read, ratio, await samplesBetween(trx, pointId, from, to), { now: at, nearMs });
    }),
  );
  const hung = meter.readAt ? await hungAt(trx, accountId, pointId, meter.readAt) : undefined;
  const multiplier = hung?.follows ? String(multiplierOf(ratio)) : hung?.multiplier;
  const fault = ratioFault(ratio, multiplier === undefined ? undefined : Number(multiplier));
  const state = stateOf(checks, fault);
  await meters.set(trx, accountId, equipmentId, {
    ...{ state, checks: JSON.stringify(checks), checkedAt: at },
    ...{ meteringMultiplier: multiplier ?? null, ratioFault: fault },
  });
  const waits = state === 'open' && checks.length > 0;
  const since = meter.recordedAt?.getTime() ?? at.getTime();
  if (waits && at.getTime() - since < PATIENCE_MS)
    await jobs.enqueue(trx, newId, {
      ...{ accountId, task: CHECK_TASK, key: equipmentId },
      dueAt: new Date(at.getTime() + AGAIN_MS),
    });
}

/** Metering takes over the ratio of a meter that two people signed for, or that an engineer let pass. */
export async function keepRatio(
  trx: Db,
  accountId: string,
  meter: Pick<MeterRow, 'pointId' | 'ctRatio' | 'ptRatio' | 'ratioApplied' | 'readAt'>,
  deps: CheckDeps,
): Promise<void> {
  const ratio = ratioOf(meter);
  if (!ratio || !meter.readAt) return;
  const { pointId, readAt } = meter;
  await keepMultiplier(trx, { accountId, pointId, multiplier: String(multiplierOf(ratio)), readAt }, deps);
}

const ratioOf = ({
  ctRatio,
  ptRatio,
  ratioApplied,
}: Pick<MeterRow, 'ctRatio' | 'ptRatio' | 'ratioApplied'>): Ratio | undefined =>
  ctRatio && ptRatio && ratioApplied
    ? { ct: Number(ctRatio), pt: Number(ptRatio), applied: ratioApplied }
    : undefined;

/** Looks again when telemetry may have come. */
export const checkJobs = (deps: CheckDeps): JobHandlers => ({
  async [CHECK_TASK](trx, { accountId, key }) {
    const meter = await meters.find(trx, key);
    if (meter) await checkMeter(trx, accountId, meter, deps);
  },
});

function readsOf({ display, readAt, laterDisplay, laterReadAt }: MeterRow): DisplayRead[] {
  return [
    ...(display && readAt ? [{ display, at: readAt }] : []),
    ...(laterDisplay && laterReadAt ? [{ display: laterDisplay, at: laterReadAt }] : []),
  ];
}
