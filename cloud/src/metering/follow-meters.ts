import './tables.ts';
import type { Commodity } from '@parkline/contract';
import { sql } from 'kysely';
import { EQUIPMENT_CHANGED } from '../fleet/index.ts';
import { audit } from '../identity/index.ts';
import type { Now } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';

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
  /** Its register has readings; asked only where it hangs elsewhere. */
  readonly heard: boolean;
}

/**
 * hang: it begins to measure a space, `always` where nobody can have meant anything else by what was read before. move: what it
 * counted stays with the space of before. correct: it never counted, so there is nothing to keep apart.
 */
export type Step = 'none' | 'hang' | 'hang_always' | 'move' | 'correct' | 'end';

/** What has to be done so that a meter measures the space that its device names. Pure. */
export function stepOf({ spaceId, measures, hung, planned, heard }: Hanging): Step {
  if (planned || spaceId === measures) return 'none';
  if (spaceId === null) return 'end';
  if (measures !== null) return heard ? 'move' : 'correct';
  return hung ? 'hang' : 'hang_always';
}

export interface FollowDeps {
  readonly now: Now;
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
}

/** Meters with their billing register, the places they hang at, and whether they were heard. */
async function meters(trx: Db, accountId: string): Promise<Found[]> {
  const kinds = Object.entries(counted).map(([kind, { register }]) => ({ kind, register }));
  const { rows } = await sql<Found>`
    select e.id, e.key, e.name, e.kind, p.unit, p.id as point_id, s.key as space_key,
      case when e.retired_at is null then e.space_id end as space_id,
      o.space_id as measures, o.usage_point_id, o.installation_id,
      coalesce(h.hung, false) as hung, coalesce(h.planned, false) as planned,
      case when o.space_id <> e.space_id
        then exists (select from reading_raw(p.id, '1970-01-01', '2200-01-01', 1)) else false end as heard
    from equipment e
    join jsonb_to_recordset(${JSON.stringify(kinds)}::jsonb) as k (kind text, register text) on k.kind = e.kind
    join point p on p.account_id = e.account_id and p.equipment_id = e.id and p.key = k.register
    left join space s on s.account_id = e.account_id and s.id = e.space_id
    left join lateral (
      select true as hung, bool_or(u.equipment_id is null) as planned
      from meter_installation i join usage_point u on u.account_id = i.account_id and u.id = i.usage_point_id
      where i.account_id = e.account_id and i.point_id = p.id
      having count(*) > 0
    ) h on true
    left join lateral (
      select u.space_id, u.id as usage_point_id, i.id as installation_id
      from meter_installation i join usage_point u on u.account_id = i.account_id and u.id = i.usage_point_id
      where i.account_id = e.account_id and i.point_id = p.id and i.to_at is null and u.equipment_id = e.id
    ) o on true
    where e.account_id = ${accountId}
      and (o.usage_point_id is not null or (e.space_id is not null and e.retired_at is null))
    order by e.key`.execute(trx);
  return rows;
}

/**
 * Has every meter measure the space that its device names, from now on; from its first reading on where it hung nowhere before.
 * Names and what it hangs behind are those of the devices. A second run changes nothing; two at a time wait for each other.
 */
export async function followMeters(trx: Db, accountId: string, { now, newId }: FollowDeps): Promise<void> {
  const at = now();
  await sql`select pg_advisory_xact_lock(hashtextextended(${`meters of ${accountId}`}, 0))`.execute(trx);
  for (const meter of await meters(trx, accountId)) {
    const step = stepOf(meter);
    if (step === 'none') continue;
    const { id: equipmentId, spaceId } = meter;
    const subjectId = await take(trx, { accountId, at, newId }, meter, step);
    const deed = { accountId, at, personId: null, action: deeds[step], subjectId };
    await audit(trx, { ...deed, details: { equipmentId, spaceId } });
  }
  for (const { usagePointId, ...details } of await takeMultipliers(trx, accountId)) {
    const deed = { accountId, at, personId: null, action: 'usage_point.changed', subjectId: usagePointId };
    await audit(trx, { ...deed, details });
  }
  await takeNames(trx, accountId);
}

const deeds = {
  ...{ hang: 'usage_point.hung', hang_always: 'usage_point.hung', move: 'usage_point.hung' },
  ...{ correct: 'usage_point.changed', end: 'usage_point.ended' },
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
  const { usagePointId, installationId, pointId, spaceId } = meter;
  if (step === 'correct') {
    await sql`update usage_point set space_id = ${spaceId} where account_id = ${accountId} and id = ${usagePointId}`.execute(
      trx,
    );
    return usagePointId!;
  }
  if (step === 'end' || step === 'move')
    await sql`update meter_installation set to_at = ${at} where account_id = ${accountId} and id = ${installationId}`.execute(
      trx,
    );
  if (step === 'end') return usagePointId!;
  const place = await placeOf(trx, accountId, meter, newId);
  const fromAt = step === 'hang_always' ? null : at;
  await trx
    .insertInto('meterInstallation')
    .values({ id: newId(), accountId, usagePointId: place, pointId, fromAt })
    .execute();
  return place;
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

/** The multiplier that was proven at the meter holds for all that it counts where it hangs now. */
async function takeMultipliers(trx: Db, accountId: string) {
  const { rows } = await sql<{ usagePointId: string; equipmentId: string; multiplier: string }>`
    update meter_installation i set multiplier = m.multiplier
    from register_multiplier m, usage_point u
    where i.account_id = ${accountId} and i.to_at is null
      and m.account_id = i.account_id and m.point_id = i.point_id and m.multiplier <> i.multiplier
      and u.account_id = i.account_id and u.id = i.usage_point_id and u.equipment_id is not null
    returning u.id as usage_point_id, u.equipment_id, i.multiplier::text`.execute(trx);
  return rows;
}

/** Brings names, and what hangs behind what, up to the devices. */
async function takeNames(trx: Db, accountId: string): Promise<void> {
  await sql`
    update usage_point u set name = e.name, parent_id = b.parent_id
    from equipment e
    left join lateral (
      select pu.id as parent_id
      from point p
      join meter_installation i on i.account_id = p.account_id and i.point_id = p.id and i.to_at is null
      join usage_point pu on pu.account_id = i.account_id and pu.id = i.usage_point_id
      where p.account_id = e.account_id and p.equipment_id = e.submeter_of
      limit 1
    ) b on true
    where u.account_id = ${accountId} and e.account_id = u.account_id and e.id = u.equipment_id
      and (u.name, u.parent_id) is distinct from (e.name, b.parent_id)`.execute(trx);
}

/** The worker has usage points follow what was changed of devices. */
export const followJobs = (deps: FollowDeps): JobHandlers => ({
  [EQUIPMENT_CHANGED]: (trx, { accountId }) => followMeters(trx, accountId, deps),
});
