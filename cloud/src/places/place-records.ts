import './tables.ts';
import { Building, BuildingBody, Floor, FloorBody, Site, SiteBody } from '@parkline/contract';
import { AppError, badField } from '../platform/errors.ts';
import { noSuch, type RecordKind } from '../records/index.ts';

const permissions = { reads: 'place.read', writes: 'place.write' } as const;

/** Sites are changed by who acts on the whole account: their zone and currency are those of every building. */
export const siteRecord: RecordKind<Site, SiteBody> = {
  ...{ path: '/api/sites', table: 'site', ...permissions, body: SiteBody, view: Site },
  find: (trx, accountId, id) =>
    trx
      .selectFrom('site')
      .select(['id', 'key', 'name', 'timezone', 'currency', 'version'])
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst(),
  async insert(trx, { accountId }, id, body) {
    requireZone(body);
    await trx
      .insertInto('site')
      .values({ id, accountId, ...body })
      .execute();
  },
  async update(trx, { accountId }, { id }, body) {
    requireZone(body);
    await trx.updateTable('site').set(body).where('accountId', '=', accountId).where('id', '=', id).execute();
  },
};

/** Whether this machine knows the IANA zone, and so can cut days by it. */
export function isZone(timezone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** @throws AppError 'bad_input'. */
function requireZone({ timezone }: SiteBody): void {
  if (isZone(timezone)) return;
  throw badField('body.timezone', {
    en: 'must be an IANA zone such as Asia/Shanghai',
    zh: '须为 IANA 时区，如 Asia/Shanghai',
  });
}

export const buildingRecord: RecordKind<Building, BuildingBody> = {
  ...{ path: '/api/buildings', table: 'building', ...permissions, body: BuildingBody, view: Building },
  find: (trx, accountId, id) =>
    trx
      .selectFrom('building')
      .select(['id', 'key', 'name', 'siteId', 'ord', 'version'])
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst(),
  async insert(trx, { accountId, at }, id, body) {
    if (!(await siteRecord.find(trx, accountId, body.siteId, at))) throw noSuch('siteId');
    await trx
      .insertInto('building')
      .values({ id, accountId, ...body })
      .execute();
  },
  async update(trx, { accountId, at }, { id }, body) {
    if (!(await siteRecord.find(trx, accountId, body.siteId, at))) throw noSuch('siteId');
    await trx
      .updateTable('building')
      .set(body)
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },
};

export const floorRecord: RecordKind<Floor, FloorBody> = {
  ...{ path: '/api/floors', table: 'floor', ...permissions, body: FloorBody, view: Floor },
  find: (trx, accountId, id) =>
    trx
      .selectFrom('floor')
      .select(['id', 'key', 'name', 'buildingId', 'level', 'version'])
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst(),
  async insert(trx, { accountId, at }, id, body) {
    if (!(await buildingRecord.find(trx, accountId, body.buildingId, at))) throw noSuch('buildingId');
    await trx
      .insertInto('floor')
      .values({ id, accountId, ...body })
      .execute();
  },
  async update(trx, { accountId }, current, body) {
    // What stands on it names its building, too.
    if (body.buildingId !== current.buildingId)
      throw new AppError('conflict', 'a floor stays in its building', { details: { why: 'floor_stays' } });
    await trx
      .updateTable('floor')
      .set(body)
      .where('accountId', '=', accountId)
      .where('id', '=', current.id)
      .execute();
  },
};
