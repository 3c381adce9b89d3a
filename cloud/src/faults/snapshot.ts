import './tables.ts';
import { sql } from 'kysely';
import { gatewayState } from '../fleet/index.ts';
import type { Db } from '../platform/db.ts';
import type { Track } from './episode.ts';
import { type KeptSetting, type Latest, type Snapshot, stateKey, type Stored } from './evaluate.ts';
import type { Memory } from './judge.ts';
import { makePlan, type Plan, type PlannedEquipment, type PlannedGateway } from './plan.ts';
import { pointKeys, type Rules } from './rules.ts';

/** Flag of a reading that came from a file. */
const IMPORTED = 8;

/** What there is to look at in an account. */
export async function readPlan(db: Db, rules: Rules, accountId: string): Promise<Plan> {
  const keys = new Set([...rules.values()].flatMap((rule) => [...pointKeys(rule)]));
  const { equipment, gateways } = await readPark(db, accountId, [...keys]);
  return makePlan(rules, equipment, gateways);
}

/** What rules look at: every device and gateway of the account, with the points that some rule may read. */
async function readPark(
  db: Db,
  accountId: string,
  keys: readonly string[],
): Promise<{ equipment: PlannedEquipment[]; gateways: PlannedGateway[] }> {
  const equipment = await db
    .selectFrom('equipment as e')
    .select(['e.id', 'e.kind', 'e.gatewayId', 'e.buildingId', 'e.floorId'])
    .select(
      sql<string[]>`array(select coalesce(v.floor_id, v.space_id)::text from equipment_serves v
        where v.equipment_id = e.id)`.as('serves'),
    )
    .where('e.accountId', '=', accountId)
    .where('e.retiredAt', 'is', null)
    .orderBy('e.id')
    .execute();
  const points = await db
    .selectFrom('point')
    .select(['id', 'num', 'key', 'unit', 'decimals', 'resolution', 'staleAfterMs', 'equipmentId'])
    .where('accountId', '=', accountId)
    .where('retiredAt', 'is', null)
    .where('key', 'in', [...keys])
    .orderBy('id')
    .execute();
  const gateways = await db
    .selectFrom('gateway')
    .select(['id', 'buildingId'])
    .where('accountId', '=', accountId)
    .orderBy('id')
    .execute();
  const pointsOf = Map.groupBy(points, ({ equipmentId }) => equipmentId);
  return { equipment: equipment.map((one) => ({ ...one, points: pointsOf.get(one.id) ?? [] })), gateways };
}

/** Reads what a beat is judged from. */
export async function readSnapshot(db: Db, accountId: string, { nums }: Plan, now: Date): Promise<Snapshot> {
  const beat = await db
    .selectFrom('faultBeat')
    .select('at')
    .where('accountId', '=', accountId)
    .executeTakeFirst();
  return {
    now: now.getTime(),
    lastBeatAt: beat?.at.getTime() ?? null,
    latest: await readLatest(db, nums),
    ...(await readSilences(db, accountId, now)),
    settings: await readSettings(db, accountId),
    states: await readStates(db, accountId),
  };
}

/** As one JSON text: ten thousand rows of their own would cost more than everything else together. */
async function readLatest(db: Db, nums: readonly number[]): Promise<Map<number, Latest>> {
  type Row = [num: number, at: number, value: number | null, quality: number, flags: number];
  const { rows } = await sql<{ latest: Row[] | null }>`
    select json_agg(json_build_array(point_num, (extract(epoch from ts) * 1000)::float8, value, quality, flags)) as latest
    from point_latest where point_num = any (${[...nums]}::int4[])`.execute(db);
  const latest = rows[0]?.latest ?? [];
  return new Map(
    latest.map(([num, at, value, quality, flags]) => [
      num,
      { at, value, quality, isImported: (flags & IMPORTED) !== 0 },
    ]),
  );
}

async function readSilences(
  db: Db,
  accountId: string,
  now: Date,
): Promise<Pick<Snapshot, 'devices' | 'gateways' | 'outboxes' | 'clocks'>> {
  const devices = await db
    .selectFrom('deviceStatus')
    .select(['equipmentId', 'state'])
    .where('accountId', '=', accountId)
    .execute();
  const gateways = await db
    .selectFrom('gatewayStatus as s')
    .innerJoin('gateway as g', 'g.id', 's.gatewayId')
    .select(['s.gatewayId', 's.heardAt', 'g.revokedAt'])
    .select(['s.outboxWaitingBytes', 's.outboxMaxBytes', 's.outboxHoursLeft', 's.clockSkewMs'])
    .where('s.accountId', '=', accountId)
    .execute();
  return {
    devices: new Map(devices.map(({ equipmentId, state }) => [equipmentId, state])),
    gateways: new Map(gateways.map((gateway) => [gateway.gatewayId, gatewayState(gateway, now)])),
    outboxes: new Map(
      gateways.flatMap(({ gatewayId, outboxWaitingBytes: waiting, outboxMaxBytes: most, outboxHoursLeft }) =>
        waiting === null || !Number(most)
          ? []
          : [[gatewayId, { percent: (100 * Number(waiting)) / Number(most), hoursLeft: outboxHoursLeft }]],
      ),
    ),
    clocks: new Map(
      gateways.flatMap(({ gatewayId, clockSkewMs }) =>
        clockSkewMs === null ? [] : [[gatewayId, Number(clockSkewMs)]],
      ),
    ),
  };
}

export async function readSettings(db: Db, accountId: string): Promise<Map<string, KeptSetting>> {
  const rows = await db
    .selectFrom('faultRuleSetting')
    .select(['rule', 'enabled', 'forS', 'limitValue as limit', 'version'])
    .where('accountId', '=', accountId)
    .execute();
  return new Map(rows.map(({ rule, ...setting }) => [rule, setting]));
}

async function readStates(db: Db, accountId: string): Promise<Map<string, Stored>> {
  interface Row extends Omit<Stored, 'track'> {
    readonly rule: string;
    readonly subjectId: string;
    readonly phase: 'pending' | 'open' | null;
    readonly since: number | null;
    readonly blindSince: number | null;
  }
  const { rows } = await sql<{ states: Row[] | null }>`
    select json_agg(json_build_object('rule', s.rule, 'subjectId', s.subject_id, 'phase', s.phase,
      'since', (extract(epoch from s.since) * 1000)::float8,
      'blindSince', (extract(epoch from s.blind_since) * 1000)::float8,
      'faultId', s.fault_id, 'memory', s.memory, 'isEnded', f.cleared_at is not null)) as states
    from fault_state s left join fault f on f.id = s.fault_id where s.account_id = ${accountId}`.execute(db);
  return new Map(
    (rows[0]?.states ?? []).map(({ rule, subjectId, phase, since, blindSince, ...rest }) => [
      stateKey(rule, subjectId),
      { ...rest, track: { phase: phase ?? 'idle', since, blindSince } },
    ]),
  );
}

/** A state to be stored; idle without a memory means that there is none any more. */
export interface StateRow {
  readonly rule: string;
  readonly subjectId: string;
  readonly track: Track;
  readonly faultId: string | null;
  readonly memory: Memory | null;
}

const time = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

export async function writeStates(db: Db, accountId: string, states: readonly StateRow[]): Promise<void> {
  const isGone = ({ track, memory }: StateRow) => track.phase === 'idle' && memory === null;
  const kept = states.filter((state) => !isGone(state));
  const gone = states.filter(isGone);
  if (kept.length > 0)
    await db
      .insertInto('faultState')
      .values(
        kept.map(({ rule, subjectId, track, faultId, memory }) => ({
          ...{ accountId, rule, subjectId, faultId },
          phase: track.phase === 'idle' ? null : track.phase,
          since: time(track.since),
          blindSince: time(track.blindSince),
          memory,
        })),
      )
      .onConflict((c) =>
        c.columns(['accountId', 'rule', 'subjectId']).doUpdateSet((eb) => ({
          phase: eb.ref('excluded.phase'),
          since: eb.ref('excluded.since'),
          blindSince: eb.ref('excluded.blindSince'),
          faultId: eb.ref('excluded.faultId'),
          memory: eb.ref('excluded.memory'),
        })),
      )
      .execute();
  if (gone.length > 0)
    await sql`
      delete from fault_state s using unnest(${gone.map(({ rule }) => rule)}::text[], ${gone.map(
        ({ subjectId }) => subjectId,
      )}::uuid[]) g (rule, subject_id)
      where s.account_id = ${accountId} and s.rule = g.rule and s.subject_id = g.subject_id`.execute(db);
}

/** Notes that the rules were looked at; to within seconds is enough. */
export async function writeBeat(db: Db, accountId: string, at: Date): Promise<void> {
  await db
    .insertInto('faultBeat')
    .values({ accountId, at })
    .onConflict((c) =>
      c
        .column('accountId')
        .doUpdateSet((eb) => ({ at: eb.ref('excluded.at') }))
        .where(sql<boolean>`abs(extract(epoch from excluded.at - fault_beat.at)) > 5`),
    )
    .execute();
}
