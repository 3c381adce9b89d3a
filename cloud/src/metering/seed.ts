import './tables.ts';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';
import { counted } from './follow-meters.ts';

/** The meters of a park file that measure somebody's space, and nothing else of it. */
export interface UsagePlan {
  readonly buildings: readonly {
    readonly meters: readonly {
      readonly key: string;
      readonly name: LocalText;
      readonly kind: string;
      readonly submeterOf?: string | null | undefined;
      /** Key of the space whose use it measures. */
      readonly space?: string | null | undefined;
    }[];
  }[];
}

/**
 * Makes a usage point for every meter that measures a space, and hangs the meter there. Names, spaces and parents are
 * brought up to the plan; installations stay as they are, for they are history. A second run changes nothing.
 * Places, spaces and devices must be there. @throws Error naming a meter of a kind that nobody can bill.
 */
export async function seedUsagePoints(
  db: Db,
  accountId: string,
  plan: UsagePlan,
  newId: NewId,
): Promise<void> {
  const meters = plan.buildings
    .flatMap((building) => building.meters)
    .flatMap(({ space, ...meter }) => (space ? [{ ...meter, space }] : []));
  for (const meter of meters) await seedUsagePoint(db, accountId, meter, newId);
  // After all are there: a meter may hang behind one that comes later in the file.
  for (const { key, submeterOf } of meters)
    await sql`
      update usage_point u set parent_id = p.id
      from (select (select id from usage_point where account_id = ${accountId} and key = ${submeterOf ?? null}) as id) p
      where u.account_id = ${accountId} and u.key = ${key} and u.parent_id is distinct from p.id`.execute(db);
}

type SpaceMeter = UsagePlan['buildings'][number]['meters'][number] & { readonly space: string };

async function seedUsagePoint(db: Db, accountId: string, meter: SpaceMeter, newId: NewId): Promise<void> {
  const { key, name, kind, space } = meter;
  const kindOf = counted[kind];
  if (!kindOf) throw new Error(`meter ${key} measures space ${space}, but no use of a ${kind} is known`);
  const { commodity, register } = kindOf;
  const { rows } = await sql<{ pointId: string; unit: string; spaceId: string }>`
    select p.id as point_id, p.unit, s.id as space_id
    from equipment e
    join point p on p.account_id = e.account_id and p.equipment_id = e.id and p.key = ${register}
    join space s on s.account_id = e.account_id and s.key = ${space}
    where e.account_id = ${accountId} and e.key = ${key}`.execute(db);
  const found = rows[0];
  if (!found) throw new Error(`meter ${key}: space ${space} or the register ${register} was not seeded`);
  await sql`
    insert into usage_point (id, account_id, key, name, commodity, unit, space_id)
    values (${newId()}, ${accountId}, ${key}, ${JSON.stringify(name)}::jsonb, ${commodity}, ${found.unit}, ${found.spaceId})
    on conflict (account_id, key) do update set name = excluded.name, space_id = excluded.space_id
    where (usage_point.name, usage_point.space_id) is distinct from (excluded.name, excluded.space_id)`.execute(
    db,
  );
  await sql`
    insert into meter_installation (id, account_id, usage_point_id, point_id)
    select ${newId()}, ${accountId}, u.id, ${found.pointId} from usage_point u
    where u.account_id = ${accountId} and u.key = ${key}
      and not exists (select from meter_installation i where i.account_id = u.account_id and i.usage_point_id = u.id)`.execute(
    db,
  );
}
