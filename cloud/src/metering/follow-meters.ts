import './tables.ts';
import type { Commodity } from '@parkline/contract';
import { sql } from 'kysely';
import { EQUIPMENT_CHANGED, type EquipmentChanged } from '../fleet/index.ts';
import { audit } from '../identity/index.ts';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';
import { takeMultipliers } from './multiplier.ts';

/** What a kind of meter counts, and in which register of its template. */
export const counted: Readonly<Record<string, { commodity: Commodity; register: string }>> = {
  'three-phase-meter': { commodity: 'electricity', register: 'active_energy_import' },
  'single-phase-meter': { commodity: 'electricity', register: 'active_energy_import' },
  'water-meter': { commodity: 'water', register: 'volume' },
  'heat-meter': { commodity: 'heat', register: 'heat_energy' },
};

/** How a meter hangs, as far as its usage points follow its device. */
export interface Hanging {
  /** The space whose use it should measure; null where it measures none, or is retired. */
  readonly spaceId: string | null;
  /** The space whose use it measures now. */
  readonly measures: string | null;
  /** It hung somewhere before. */
  readonly hung: boolean;
  /** Somebody planned where its register hangs: nothing follows. */
  readonly planned: boolean;
  /** Something was read of its register, by itself or at a handover; asked only where it hangs elsewhere. */
  readonly heard: boolean;
}

/**
 * hang: it begins to measure a space, `always` where nobody can have meant anything else by what was read before. move: what it
 * counted stays with the space of before. correct: it never counted, so there is nothing to keep apart. end: what it counted stays;
 * forget: it never did, and nothing is left of it.
 */
export type Step = 'none' | 'hang' | 'hang_always' | 'move' | 'correct' | 'end' | 'forget';

/** What has to be done so that a meter measures the space that its device names. Pure. */
export function stepOf({ spaceId, measures, hung, planned, heard }: Hanging): Step {
  if (planned || spaceId === measures) return 'none';
  if (spaceId === null) return heard ? 'end' : 'forget';
  if (measures !== null) return heard ? 'move' : 'correct';
  return hung ? 'hang' : 'hang_always';
}

export interface FollowDeps {
  readonly newId: NewId;
}

interface Found extends Hanging {
  readonly id: string;
  readonly key: string;
  readonly name: LocalText;
  readonly kind: string;
  readonly unit: string;
  readonly pointId: string;
  readonly spaceKey: string | null;
  /** Where it hangs now. */
  readonly usagePointId: string | null;
  readonly installationId: string | null;
  /** When it last ceased to measure something. */
  readonly lastEnd: Date | null;
}

/**
 * Meters with their billing register, the places they hang at, and whether they were heard. What passes through several meters is
 * counted once: a meter behind another one of the same space does not count, nor does one that others are behind which measure
 * another space, for it would count what somebody else uses.
 */
async function meters(trx: Db, accountId: string): Promise<Found[]> {
  const kinds = Object.entries(counted).map(([kind, { register, commodity }]) => ({
    kind,
    register,
    commodity,
  }));
  const { rows } = await sql<Found>`
    with recursive k as (
      select * from jsonb_to_recordset(${JSON.stringify(kinds)}::jsonb) as k (kind text, register text, commodity text)
    ), bound as (
      select e.id, e.space_id, k.commodity from equipment e join k on k.kind = e.kind
      where e.account_id = ${accountId} and e.space_id is not null and e.retired_at is null
    ), behind (id, other) as (
      select e.id, e.submeter_of from equipment e where e.account_id = ${accountId} and e.submeter_of is not null
      union
      select h.id, e.submeter_of from behind h join equipment e on e.account_id = ${accountId} and e.id = h.other
      where e.submeter_of is not null
    ), through as (
      select h.other as id from behind h join bound s on s.id = h.id join bound o on o.id = h.other
      where s.commodity = o.commodity and s.space_id <> o.space_id
    ), measuring as (
      select b.id, b.space_id from bound b
      where b.id not in (select id from through) and not exists (
        select from behind h join bound o on o.id = h.other
        where h.id = b.id and h.other <> b.id and o.space_id = b.space_id and o.commodity = b.commodity
          and o.id not in (select id from through))
    )
    select e.id, e.key, e.name, e.kind, p.unit, p.id as point_id, s.key as space_key,
      m.space_id, o.space_id as measures, o.usage_point_id, o.installation_id,
      coalesce(h.hung, false) as hung, coalesce(h.planned, false) as planned, h.last_end,
      case when o.space_id is distinct from m.space_id and o.space_id is not null
        then exists (select from reading_raw(p.id, '1970-01-01', '2200-01-01', 1))
          or exists (select from handover_reading r where r.account_id = e.account_id and r.usage_point_id = o.usage_point_id)
        else false end as heard
    from equipment e
    join k on k.kind = e.kind
    join point p on p.account_id = e.account_id and p.equipment_id = e.id and p.key = k.register
    left join measuring m on m.id = e.id
    left join space s on s.account_id = e.account_id and s.id = m.space_id
    left join lateral (
      select true as hung, bool_or(u.equipment_id is null) as planned, max(i.to_at) as last_end
      from meter_installation i join usage_point u on u.account_id = i.account_id and u.id = i.usage_point_id
      where i.account_id = e.account_id and i.point_id = p.id
      having count(*) > 0
    ) h on true
    left join lateral (
      select u.space_id, u.id as usage_point_id, i.id as installation_id
      from meter_installation i join usage_point u on u.account_id = i.account_id and u.id = i.usage_point_id
      where i.account_id = e.account_id and i.point_id = p.id and i.to_at is null and u.equipment_id = e.id
    ) o on true
    where e.account_id = ${accountId} and (o.usage_point_id is not null or m.space_id is not null)
    order by e.key`.execute(trx);
  return rows;
}

/**
 * Has every meter measure the space that its device names, from `at` on; from its first reading on where it hung nowhere before.
 * Multipliers are those that were proven, names those of the devices. A second run changes nothing; two
 * at a time wait for each other.
 */
export async function followMeters(
  trx: Db,
  accountId: string,
  at: Date,
  { newId }: FollowDeps,
): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`meters of ${accountId}`}, 0))`.execute(trx);
  for (const meter of await meters(trx, accountId)) {
    const step = stepOf(meter);
    if (step === 'none') continue;
    const { id: equipmentId, spaceId } = meter;
    const subjectId = await take(trx, { accountId, at, newId }, meter, step);
    const deed = { accountId, at, personId: null, action: deeds[step], subjectId };
    await audit(trx, { ...deed, details: { equipmentId, spaceId } });
  }
  for (const { usagePointId, ...details } of await takeMultipliers(trx, accountId, newId)) {
    const deed = { accountId, at, personId: null, action: 'usage_point.changed', subjectId: usagePointId };
    await audit(trx, { ...deed, details });
  }
  await takeNames(trx, accountId);
}

const deeds = {
  ...{ hang: 'usage_point.hung', hang_always: 'usage_point.hung', move: 'usage_point.hung' },
  ...{ correct: 'usage_point.changed', end: 'usage_point.ended', forget: 'usage_point.deleted' },
} as const satisfies Readonly<Record<Exclude<Step, 'none'>, string>>;

interface Taking {
  readonly accountId: string;
  readonly at: Date;
  readonly newId: NewId;
}

/** @returns the usage point that it is about. */
async function take(
  trx: Db,
  { accountId, at, newId }: Taking,
  meter: Found,
  step: Exclude<Step, 'none'>,
): Promise<string> {
  const { usagePointId, installationId, pointId, spaceId, lastEnd } = meter;
  if (step === 'correct') {
    await sql`update usage_point set space_id = ${spaceId} where account_id = ${accountId} and id = ${usagePointId}`.execute(
      trx,
    );
    return usagePointId!;
  }
  if (step === 'forget') {
    await forget(trx, accountId, usagePointId!);
    return usagePointId!;
  }
  const ended =
    step === 'end' || step === 'move' ? await endInstallation(trx, accountId, installationId!, at) : lastEnd;
  if (step === 'end') return usagePointId!;
  const place = await placeOf(trx, accountId, meter, newId);
  const fromAt = step === 'hang_always' ? null : ended !== null && ended > at ? ended : at;
  await trx
    .insertInto('meterInstallation')
    .values({ id: newId(), accountId, usagePointId: place, pointId, fromAt })
    .execute();
  return place;
}

/** At `at`, or right after it began where that is later. @returns when. */
async function endInstallation(trx: Db, accountId: string, id: string, at: Date): Promise<Date> {
  const { rows } = await sql<{ toAt: Date }>`
    update meter_installation set to_at = greatest(${at}::timestamptz, from_at + interval '1 second')
    where account_id = ${accountId} and id = ${id} returning to_at`.execute(trx);
  return rows[0]!.toAt;
}

/** Takes back a usage point at which nothing was ever read. */
async function forget(trx: Db, accountId: string, id: string): Promise<void> {
  await sql`delete from meter_installation where account_id = ${accountId} and usage_point_id = ${id}`.execute(
    trx,
  );
  await sql`delete from usage_point where account_id = ${accountId} and id = ${id}`.execute(trx);
}

/** The usage point of this meter in its space, made where there is none. */
async function placeOf(
  trx: Db,
  accountId: string,
  { id: equipmentId, key, name, kind, unit, spaceId, spaceKey }: Found,
  newId: NewId,
): Promise<string> {
  const there = await trx
    .selectFrom('usagePoint')
    .select('id')
    .where('accountId', '=', accountId)
    .where('equipmentId', '=', equipmentId)
    .where('spaceId', '=', spaceId)
    .executeTakeFirst();
  if (there) return there.id;
  const names = [key, `${key}-${spaceKey}`];
  const taken = await trx
    .selectFrom('usagePoint')
    .select('key')
    .where('accountId', '=', accountId)
    .where('key', 'in', names)
    .execute();
  const free = names.find((name) => taken.every((one) => one.key !== name));
  const id = newId();
  await trx
    .insertInto('usagePoint')
    .values({
      ...{ id, accountId, equipmentId, spaceId: spaceId!, name, unit },
      ...{ key: free ?? `${key}-${id}`, commodity: counted[kind]!.commodity },
    })
    .execute();
  return id;
}

/** Brings names up to the devices; what ended keeps its own. */
async function takeNames(trx: Db, accountId: string): Promise<void> {
  await sql`
    update usage_point u set name = e.name
    from equipment e
    where u.account_id = ${accountId} and e.account_id = u.account_id and e.id = u.equipment_id and u.name <> e.name
      and exists (
        select from meter_installation i
        where i.account_id = u.account_id and i.usage_point_id = u.id and i.to_at is null)`.execute(trx);
}

/** The worker has usage points follow what was changed of devices. */
export const followJobs = (deps: FollowDeps): JobHandlers => ({
  [EQUIPMENT_CHANGED]: (trx, { accountId, payload }) =>
    followMeters(trx, accountId, new Date((payload as EquipmentChanged).at), deps),
});
