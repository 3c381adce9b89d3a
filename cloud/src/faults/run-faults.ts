import type { Logger } from 'pino';
import { Gauge, Histogram, type Registry } from 'prom-client';
import { severities } from '@parkline/contract';
import type { Wait } from '../platform/clock.ts';
import { withAccount } from '../platform/db.ts';
import { beat, type BeatDeps } from './beat.ts';
import type { Plan } from './plan.ts';
import type { Rules } from './rules.ts';
import { readPlan } from './snapshot.ts';

const BEAT_MS = 1_000;
/** A device that was just added is looked at within this time. */
const REPLAN_MS = 10_000;

export interface RunFaultsDeps extends BeatDeps {
  readonly wait: Wait;
  readonly log: Logger;
  readonly metrics?: Registry | undefined;
}

/** Looks at every account's rules once a second until `signal` aborts. Any number of processes may run this. */
export async function runFaults(deps: RunFaultsDeps, signal: AbortSignal): Promise<void> {
  const { wait, log } = deps;
  const count = countBeats(deps.metrics);
  let plans: ReadonlyMap<string, Plan> = new Map();
  let plannedAt = -Infinity;
  const failures = new Map<string, number>();

  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      if (startedAt - plannedAt >= REPLAN_MS) {
        plans = await readPlans(deps);
        plannedAt = startedAt;
      }
      failures.delete('plans');
    } catch (err) {
      tell('plans', err);
    }
    const open: Record<string, number>[] = [];
    for (const [accountId, plan] of plans) {
      if (signal.aborted) break;
      try {
        const result = await beat(deps, accountId, plan);
        if (result) open.push({ ...result.open });
        failures.delete(accountId);
      } catch (err) {
        tell(accountId, err); // The others go on; this one is tried again in a second.
      }
    }
    const tookMs = performance.now() - startedAt;
    count(tookMs, open);
    await wait(Math.max(0, BEAT_MS - tookMs), signal);
  }

  function tell(what: string, err: unknown): void {
    const times = failures.get(what) ?? 0;
    failures.set(what, times + 1);
    if (times % 60 === 0) log.warn({ err, accountId: what, failures: times }, 'fault rules not judged');
  }
}

async function readPlans({ db, rules }: RunFaultsDeps): Promise<ReadonlyMap<string, Plan>> {
  const accounts = await db.selectFrom('account').select('id').orderBy('id').execute();
  const plans = new Map<string, Plan>();
  for (const { id } of accounts) plans.set(id, await planOf(db, rules, id));
  return plans;
}

/** What there is to look at in an account. */
export const planOf = (db: BeatDeps['db'], rules: Rules, accountId: string): Promise<Plan> =>
  withAccount(db, accountId, (trx) => readPlan(trx, rules, accountId));

/** `undefined` counts nothing. */
function countBeats(registry: Registry | undefined) {
  if (!registry) return () => undefined;
  const registers = [registry];
  const seconds = new Histogram({
    ...{ name: 'parkline_fault_beat_seconds', help: 'Judging all rules of all accounts once', registers },
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3],
  });
  const gauge = new Gauge({
    ...{ name: 'parkline_faults_open', help: 'Open faults', labelNames: ['severity'] as const, registers },
  });
  return (tookMs: number, open: readonly Readonly<Record<string, number>>[]): void => {
    seconds.observe(tookMs / 1_000);
    // Without a beat of ours another process has the numbers; ours stand.
    if (open.length === 0) return;
    for (const severity of severities)
      gauge.set(
        { severity },
        open.reduce((sum, one) => sum + (one[severity] ?? 0), 0),
      );
  };
}
