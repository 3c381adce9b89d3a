/* eslint-disable @typescript-eslint/consistent-type-definitions -- values of a kind are JSON by their index, which an interface has not */
import './tables.ts';
import { sql } from 'kysely';
import {
  type Fault,
  type Prepared,
  type Scope,
  type SheetKind,
  type Stored,
  unknownKey,
  type Wanted,
} from '../imports/index.ts';
import {
  byKey,
  faultsIn,
  idsByKey,
  isFaults,
  nameColumns,
  nameOf,
  namesOf,
  refColumn,
  removeAll,
} from '../places/index.ts';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import { administered } from './gateway-repository.ts';

type GatewayValues = {
  readonly key: string;
  readonly building: string;
  readonly name_en: string;
  readonly name_zh: string;
};

/** Gateways before they exist. Their claim codes come one by one: each is shown once. */
export const gatewaySheet: SheetKind<GatewayValues> = {
  ...{ name: 'gateways', noun: 'gateway', title: { en: 'Gateways', zh: '网关' } },
  ...{ reads: 'gateway.read', writes: 'equipment.write', fresh: true },
  columns: [
    {
      ...{ name: 'key', zh: '编号', type: 'text', required: true, max: 63, example: 'gw-1' },
      pattern: /^[a-z0-9][a-z0-9-]*$/,
    },
    refColumn('building', '楼宇编号', 'b1'),
    ...nameColumns('Gateway 1', '1 号网关'),
  ],
  prepare,
};

interface FoundGateway extends Pick<GatewayValues, 'key' | 'building'> {
  readonly id: string;
  readonly version: number;
  readonly name: LocalText;
  readonly isClaimed: boolean;
}

async function prepare(trx: Db, { accountId, locks, newId }: Scope): Promise<Prepared<GatewayValues>> {
  const buildings = await idsByKey(trx, 'building', accountId);
  const { rows } = await sql<FoundGateway>`
    select g.id, g.version, g.key, g.name, b.key as building, g.claimed_at is not null as is_claimed
    from gateway g join building b on b.id = g.building_id where g.account_id = ${accountId} order by g.key
    ${locks ? sql`for no key update of g` : sql``}`.execute(trx);
  const claimed = new Set(rows.filter(({ isClaimed }) => isClaimed).map(({ id }) => id));
  return {
    stored: byKey<GatewayValues>(rows.map(({ isClaimed: _isClaimed, ...row }) => row)),
    read(cells, stored) {
      const names = namesOf(cells, stored?.values);
      const building = cells['building'] as string;
      const unknown = buildings.has(building)
        ? []
        : [unknownKey('building', { en: 'building', zh: '楼宇' }, building)];
      if (isFaults(names) || unknown.length > 0) return [...faultsIn(names), ...unknown];
      return { key: cells['key'] as string, building, ...names };
    },
    async write(wanted) {
      for (const one of wanted) await store(trx, { accountId, newId, buildings }, one);
      return [];
    },
    remove: (gone) => {
      const held = gone.filter(({ id }) => claimed.has(id)).map(({ values }) => wasClaimed(values.key));
      return held.length > 0 ? Promise.resolve(held) : removeAll(trx, 'gateway', accountId, gone);
    },
  };
}

async function store(
  trx: Db,
  {
    accountId,
    newId,
    buildings,
  }: Pick<Scope, 'accountId' | 'newId'> & { readonly buildings: ReadonlyMap<string, string> },
  { values, stored }: Wanted<GatewayValues>,
): Promise<void> {
  const row = { key: values.key, name: nameOf(values), buildingId: buildings.get(values.building) ?? '' };
  if (!stored) return administered.add(trx, { ...row, id: newId(), accountId });
  const { id, version }: Stored = stored;
  if (!(await administered.change(trx, { accountId, id, version }, row)))
    throw new Error(`gateway ${values.key} is locked, and was changed`);
}

const wasClaimed = (key: string): Fault => ({
  field: key,
  text: { en: `"${key}" was claimed: revoke it instead.`, zh: `“${key}”已被认领，请改为吊销。` },
});
