import './tables.ts';
import { SpaceBody, SpaceRecord, type SpaceStateChange } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { noSuch, type RecordKind } from '../records/index.ts';
import { floorRecord } from './place-records.ts';

/** Since ever. */
export const EVER = '-infinity';

/** The day that `at` is on, on the calendar of the site of `s`, a space. */
export const dayOfSpace = (at: Date) =>
  sql<string>`(select (${at}::timestamptz at time zone t.timezone)::date
    from building b join site t on t.id = b.site_id where b.id = s.building_id)`;

export const spaceRecord: RecordKind<SpaceRecord, SpaceBody> = {
  ...{ path: '/api/spaces', table: 'space', reads: 'place.read', writes: 'place.write' },
  ...{ body: SpaceBody, view: SpaceRecord },
  find: findSpace,
  async insert(trx, { accountId }, id, { areaM2, areaFrom = EVER, ...body }) {
    const buildingId = await buildingOf(trx, accountId, body.floorId);
    await trx
      .insertInto('space')
      .values({ id, accountId, buildingId, ...body })
      .execute();
    await setArea(trx, { accountId, spaceId: id }, areaFrom, areaM2);
  },
  async update(trx, { accountId, at }, current, { areaM2, areaFrom, ...body }) {
    const { id } = current;
    const buildingId = await buildingOf(trx, accountId, body.floorId);
    if (buildingId !== current.buildingId)
      throw new AppError('conflict', 'a space stays in its building', { details: { why: 'space_stays' } });
    await trx
      .updateTable('space')
      .set(body)
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
    if (areaFrom === undefined && areaM2 === current.areaM2) return;
    await setArea(trx, { accountId, spaceId: id }, areaFrom ?? (await today(trx, id, at)), areaM2);
  },
};

/** Undefined where there is none in sight. */
async function findSpace(trx: Db, accountId: string, id: string, at: Date): Promise<SpaceRecord | undefined> {
  const { rows } = await sql<SpaceRecord>`
    select s.id, s.key, s.name, s.kind, s.floor_id, s.building_id, s.state, s.version,
      space_area_on(s.id, ${dayOfSpace(at)})::float8 as "areaM2",
      (select jsonb_agg(jsonb_build_object('from', nullif(a.from_date, ${EVER}), 'areaM2', a.area_m2) order by a.from_date)
       from space_area a where a.space_id = s.id) as areas
    from space s where s.account_id = ${accountId} and s.id = ${id}`.execute(trx);
  return rows[0];
}

/** @throws AppError 'bad_input' where the floor is not in sight. */
async function buildingOf(trx: Db, accountId: string, floorId: string): Promise<string> {
  const floor = await floorRecord.find(trx, accountId, floorId, new Date(0));
  if (!floor) throw noSuch('floorId');
  return floor.buildingId;
}

async function today(trx: Db, id: string, at: Date): Promise<string> {
  const { rows } = await sql<{ day: string }>`
    select (${dayOfSpace(at)})::text as day from space s where s.id = ${id}`.execute(trx);
  return rows[0]?.day ?? EVER;
}

/** The area from a day on, until the next one that is told. @throws AppError 'bad_input' on parts of a hundredth. */
async function setArea(
  trx: Db,
  space: { readonly accountId: string; readonly spaceId: string },
  fromDate: string,
  areaM2: number,
): Promise<void> {
  const exact = areaM2.toFixed(2);
  if (Number(exact) !== areaM2)
    throw badField('body.areaM2', { en: 'must have at most two decimals', zh: '至多两位小数' });
  await trx
    .insertInto('spaceArea')
    .values({ ...space, fromDate, areaM2: exact })
    .onConflict((c) => c.columns(['spaceId', 'fromDate']).doUpdateSet({ areaM2: exact }))
    .execute();
}

export const spaceHistory = {
  /** Newest first, at most a hundred. */
  async of(db: Db, accountId: string, spaceId: string): Promise<SpaceStateChange[]> {
    const { rows } = await sql<Omit<SpaceStateChange, 'at'> & { at: Date }>`
      select c.at, c.from_state as "from", c.state, p.name as person_name, c.why
      from space_state_change c left join person p on p.account_id = c.account_id and p.id = c.person_id
      where c.account_id = ${accountId} and c.space_id = ${spaceId} order by c.id desc limit 100`.execute(db);
    return rows.map(({ at, ...row }) => ({ ...row, at: at.toISOString() }));
  },

  /** Takes back the area of a day; the first one stays. @returns whether there was one. */
  async dropArea(trx: Db, accountId: string, spaceId: string, from: string): Promise<boolean> {
    const { numAffectedRows } = await sql`
      delete from space_area a where a.account_id = ${accountId} and a.space_id = ${spaceId} and a.from_date = ${from}
        and exists (select from space_area o where o.space_id = a.space_id and o.from_date < a.from_date)`.execute(
      trx,
    );
    return numAffectedRows === 1n;
  },
};
