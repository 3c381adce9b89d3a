import type { ClearReason, Severity } from '@parkline/contract';
import { sql } from 'kysely';
import { notifyChanged } from '../platform/changes.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withAccount } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import type { Hit } from '../platform/failpoints.ts';
import { type Cause, explains, grouped } from './causes.ts';
import { idle } from './episode.ts';
import { type Decision, evaluate, type Snapshot, stateKey } from './evaluate.ts';
import { faultCleared, faultOpened, faultRaised, needsOrder } from './events.ts';
import type { Plan } from './plan.ts';
import { faults } from './repository.ts';
import type { Rules } from './rules.ts';
import { readPlan, readSnapshot, type StateRow, writeBeat, writeStates } from './snapshot.ts';
import type { Evidence } from './tables.ts';

/** Places of a beat where the fault suite can kill the process; all inside its transaction. */
export const faultFailpoints = ['before-fault', 'fault-opened', 'fault-cleared'] as const;

export interface BeatDeps {
  /** As parkline_worker. */
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  readonly rules: Rules;
  readonly failpoint: Hit<(typeof faultFailpoints)[number]>;
}

export interface BeatResult {
  readonly opened: number;
  readonly cleared: number;
  readonly open: Readonly<Record<string, number>>;
}

/** Two numbers of an advisory lock: ours, and the account. */
const LOCK = 721_535_010;

/**
 * Judges all rules of one account once, in one transaction. @returns undefined when another process is at it: one at a time
 * looks at an account, and the end of a transaction, however it comes, lets go of it.
 */
export const beat = (deps: BeatDeps, accountId: string, plan: Plan): Promise<BeatResult | undefined> =>
  withAccount(deps.db, accountId, async (trx) => {
    const { rows } = await sql<{ mine: boolean }>`
      select pg_try_advisory_xact_lock(${LOCK}, hashtext(${accountId})) as mine`.execute(trx);
    if (!rows[0]?.mine) return undefined;

    const at = deps.now();
    const snapshot = await readSnapshot(trx, accountId, plan, at);
    const decisions = evaluate(plan, snapshot);
    const orphans = await orphansOf(trx, deps.rules, accountId, { plan, snapshot });
    const clearing = [...decisions.flatMap(toClearing), ...orphans.flatMap(toClearing)];
    const context: Context = { ...deps, trx, accountId, at, plan };

    const cleared = await clearAll(context, clearing);
    const opened = await openAll(
      context,
      decisions.filter(({ event }) => event === 'open'),
    );
    const released = await releaseConsequences(context);
    await writeStates(trx, accountId, [
      ...decisions.map((one) => toState(one, opened)),
      ...orphans.map(forget),
    ]);
    await writeBeat(trx, accountId, at);
    if (opened.size + cleared + released > 0) await notifyChanged(trx, accountId, 'faults');
    return { opened: opened.size, cleared, open: await faults.openCounts(trx, accountId) };
  });

interface Context extends BeatDeps {
  readonly trx: Db;
  readonly accountId: string;
  readonly at: Date;
  readonly plan: Plan;
}

interface Orphan {
  readonly rule: string;
  readonly subjectId: string;
  readonly faultId: string | null;
  readonly event: 'rule_off';
}

/**
 * States of what is not looked at any more: the device, a point of it or the rule is gone. A plan is some seconds old, and
 * another process may know of devices that came since: so none is gone before the park itself says so.
 */
async function orphansOf(
  trx: Db,
  rules: Rules,
  accountId: string,
  { plan, snapshot: { states } }: { readonly plan: Plan; readonly snapshot: Snapshot },
): Promise<Orphan[]> {
  if (unwatched(plan, states.keys()).length === 0) return [];
  const fresh = await readPlan(trx, rules, accountId);
  return unwatched(fresh, states.keys()).map((key) => {
    const { faultId = null, isEnded = false } = states.get(key) ?? {};
    const [rule = '', subjectId = ''] = key.split('/');
    return { rule, subjectId, faultId: isEnded ? null : faultId, event: 'rule_off' };
  });
}

function unwatched({ watches }: Plan, keys: Iterable<string>): string[] {
  const watched = new Set(watches.map(({ rule, subjectId }) => stateKey(rule.key, subjectId)));
  return [...keys].filter((key) => !watched.has(key));
}

const forget = ({ rule, subjectId }: Orphan): StateRow => ({
  ...{ rule, subjectId, track: idle, faultId: null, memory: null },
});

interface Clearing {
  readonly faultId: string;
  readonly why: ClearReason;
}

function toClearing(one: Decision | Orphan): Clearing[] {
  const faultId = 'faultId' in one ? one.faultId : (one.before?.faultId ?? null);
  if (faultId === null || one.event === undefined || one.event === 'open') return [];
  return [{ faultId, why: one.event === 'clear' ? 'recovered' : 'rule_off' }];
}

async function clearAll({ trx, accountId, at, newId, failpoint }: Context, all: Clearing[]): Promise<number> {
  let count = 0;
  for (const { faultId, why } of all) {
    if (!(await faults.clear(trx, accountId, faultId, at, why))) continue;
    await faultCleared(trx, newId, { accountId, faultId, at });
    failpoint('fault-cleared');
    count += 1;
  }
  return count;
}

type Opened = ReadonlyMap<string, string>;

/** Opens the episodes of a beat and groups them. @returns the ids of the faults by state key. */
async function openAll(context: Context, opening: readonly Decision[]): Promise<Opened> {
  const { trx, accountId, at, newId, rules, plan, failpoint } = context;
  if (opening.length === 0) return new Map();
  failpoint('before-fault');
  const known = await faults.causes(trx, accountId, at);
  const fresh: Cause[] = opening.map(({ watch: { rule, subjectId } }) => ({
    ...{ id: newId(), rule: rule.key, subjectId, causeId: null },
  }));
  const made = grouped(rules, plan.served, known, fresh);
  const evidence = await evidenceOf(context, opening);
  // Causes before their consequences: those refer to them.
  const rows = made.map((one, i) => ({ ...one, decision: opening[i]!, evidence: evidence[i]! }));
  rows.sort((a, b) => Number(a.causeId !== null) - Number(b.causeId !== null));
  await faults.add(
    trx,
    rows.map((row) => toFault(context, row)),
  );
  for (const { id: faultId, rule, decision } of rows)
    await faultRaised(trx, newId, { accountId, faultId, at, rule, gatewayId: decision.watch.gatewayId });

  for (const { id, rule, subjectId } of made.filter((one) => one.causeId === null)) {
    const below = known.filter(
      (one) => one.orderId === null && explains(rules, plan.served, { rule, subjectId }, one),
    );
    const ids = below.filter((one) => one.causeId !== id).map((one) => one.id);
    if (ids.length > 0) await faults.group(trx, accountId, ids, id);
    if (needsOrder(rules.get(rule)?.severity ?? 'notice'))
      await faultOpened(trx, newId, { accountId, faultId: id, at });
  }
  failpoint('fault-opened');
  return new Map(made.map(({ id, rule, subjectId }) => [stateKey(rule, subjectId), id]));
}

interface Opening extends Cause {
  readonly decision: Decision;
  readonly evidence: Evidence;
}

const toFault = (
  { accountId, at }: Context,
  { id, rule, subjectId, causeId, decision, evidence }: Opening,
) => {
  const { equipmentId, gatewayId, buildingId, floorId, points } = decision.watch;
  return {
    ...{ id, accountId, rule, subjectId, causeId, equipmentId, buildingId, floorId, evidence },
    severity: decision.watch.rule.severity,
    gatewayId: equipmentId === null ? gatewayId : null,
    pointIds: [...points.values()].map((point) => point.id),
    openedAt: at,
  };
};

/** The values of the decision, and of what is silent when it last said something. */
function evidenceOf({ trx, accountId }: Context, opening: readonly Decision[]): Promise<Evidence[]> {
  return Promise.all(
    opening.map(async ({ watch, values = {}, limit, forS }) => {
      const common: Evidence = { values, forS, ...(limit !== undefined && { limit }) };
      if (watch.rule.kind !== 'no-data') return common;
      const { equipmentId, gatewayId } = watch;
      if (equipmentId === null) {
        const heard = await trx
          .selectFrom('gatewayStatus')
          .select('heardAt')
          .where('gatewayId', '=', gatewayId)
          .executeTakeFirst();
        return { ...common, heardAt: heard?.heardAt.toISOString() ?? null };
      }
      const said = await trx
        .selectFrom('deviceStatus')
        .select(['lastOkAt', 'error'])
        .where('accountId', '=', accountId)
        .where('equipmentId', '=', equipmentId)
        .executeTakeFirst();
      return { ...common, lastOkAt: said?.lastOkAt?.toISOString() ?? null, error: said?.error ?? null };
    }),
  );
}

/** Their cause is long over and they are not: now they need somebody. */
async function releaseConsequences({ trx, accountId, at, newId }: Context): Promise<number> {
  const released = await faults.outlived(trx, accountId, at);
  for (const { id, severity } of released)
    if (needsOrder(severity as Severity)) await faultOpened(trx, newId, { accountId, faultId: id, at });
  return released.length;
}

function toState({ watch, before, track, memory }: Decision, opened: Opened): StateRow {
  const { rule, subjectId } = watch;
  const isOpen = track.phase === 'open';
  const faultId = isOpen ? (opened.get(stateKey(rule.key, subjectId)) ?? before?.faultId ?? null) : null;
  return { ...{ rule: rule.key, subjectId, track, faultId, memory } };
}
