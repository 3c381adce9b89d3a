/* eslint-disable @typescript-eslint/consistent-type-definitions -- values of a kind are JSON by their index, which an interface has not */
import './tables.ts';
import type { SpaceKind, SpaceState } from '@parkline/contract';
import { sql } from 'kysely';
import {
  type Cells,
  type Fault,
  keptOr,
  type Prepared,
  type Scope,
  type SheetKind,
  type Stored,
  unknownKey,
  type Wanted,
} from '../imports/index.ts';
import {
  byKey,
  dayOfSpace,
  EVER,
  faultsIn,
  isFaults,
  keyColumn,
  nameColumns,
  nameOf,
  namesOf,
  refColumn,
  removeAll,
  stateRefusal,
} from '../places/index.ts';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import { followLeases, inStatements, setSpaceStates } from './follow-leases.ts';

export const kindWords: Readonly<Record<SpaceKind, LocalText>> = {
  unit: { en: 'unit', zh: '单元' },
  workstation: { en: 'workstation', zh: '工位' },
  common: { en: 'common', zh: '公共区域' },
  plant: { en: 'plant', zh: '设备机房' },
  parking: { en: 'parking', zh: '车位' },
  storage: { en: 'storage', zh: '仓储' },
};

export const stateWords: Readonly<Record<SpaceState, LocalText>> = {
  vacant: { en: 'vacant', zh: '空置' },
  intent: { en: 'intent', zh: '意向' },
  leased: { en: 'leased', zh: '已租' },
  fit_out: { en: 'fit-out', zh: '装修中' },
  locked: { en: 'locked', zh: '锁定' },
};

type SpaceValues = {
  readonly key: string;
  readonly floor: string;
  readonly name_en: string;
  readonly name_zh: string;
  readonly kind: SpaceKind;
  readonly state: SpaceState;
  /** 'YYYY-MM-DD=100.50', the oldest first; '-infinity=...' since ever. Written as one text, for lists have no order. */
  readonly areas: string;
};

/** The areas of a space by their first days. */
type Areas = ReadonlyMap<string, number>;
const areasOf = (text: string): Areas =>
  new Map(
    text
      .split(';')
      .filter(Boolean)
      .map((part) => {
        const [from = '', area = ''] = part.split('=');
        return [from, Number(area)] as const;
      }),
  );
const EVER_FIRST = (a: string, b: string) => (a === EVER ? -1 : b === EVER ? 1 : a < b ? -1 : 1);
const textOf = (areas: Areas): string =>
  [...areas]
    .toSorted(([a], [b]) => EVER_FIRST(a, b))
    .map(([from, area]) => `${from}=${area.toFixed(2)}`)
    .join(';');

/** First day and area that hold on a day, as `space_area_on` has it. */
function areaOn(areas: Areas, day: string): [string, number] {
  const all = [...areas].toSorted(([a], [b]) => EVER_FIRST(a, b));
  return all.findLast(([from]) => from === EVER || from <= day) ?? all[0] ?? [EVER, 0];
}

export const spaceSheet: SheetKind<SpaceValues> = {
  ...{
    name: 'spaces',
    noun: 'space',
    title: { en: 'Spaces', zh: '空间' },
    reads: 'place.read',
    writes: 'place.write',
  },
  columns: [
    keyColumn('b1-101'),
    refColumn('floor', '楼层编号', 'b1-f1'),
    ...nameColumns('Unit 101', '101 单元'),
    { name: 'kind', zh: '类型', type: 'word', required: true, words: kindWords, example: 'unit' },
    {
      name: 'area_m2',
      zh: '面积（m²）',
      type: 'number',
      required: true,
      decimals: 2,
      min: 0.01,
      max: 1e7,
      example: '120.5',
    },
    { name: 'area_from', zh: '面积起始日', type: 'day', example: '2026-01-01' },
    { name: 'state', zh: '状态', type: 'word', words: stateWords, example: 'vacant' },
  ],
  prepare,
};

type FoundSpace = Omit<SpaceValues, 'name_en' | 'name_zh'> & {
  readonly id: string;
  readonly version: number;
  readonly name: LocalText;
  readonly today: string;
  readonly leased: boolean;
};

interface Around {
  /** By key. */
  readonly floors: ReadonlyMap<
    string,
    { readonly id: string; readonly buildingId: string; readonly today: string }
  >;
  readonly leased: ReadonlySet<string>;
}

async function prepare(trx: Db, scope: Scope): Promise<Prepared<SpaceValues>> {
  const { accountId, at, locks } = scope;
  const floors = await sql<{ key: string; id: string; buildingId: string; today: string }>`
    select f.key, f.id, f.building_id, (${at}::timestamptz at time zone t.timezone)::date::text as today
    from floor f join building b on b.id = f.building_id join site t on t.id = b.site_id
    where f.account_id = ${accountId}`.execute(trx);
  const { rows } = await sql<FoundSpace>`
    select s.id, s.version, s.key, f.key as floor, s.name, s.kind, s.state,
      (select string_agg(a.from_date || '=' || a.area_m2, ';' order by a.from_date) from space_area a where a.space_id = s.id)
        as areas,
      exists (select from lease_space l where l.account_id = s.account_id and l.space_id = s.id
        and daterange(l.from_date, l.to_date) @> ${dayOfSpace(at)}) as leased
    from space s join floor f on f.id = s.floor_id join building b on b.id = s.building_id
    where s.account_id = ${accountId} order by b.ord, b.id, f.level, s.id ${locks ? sql`for no key update of s` : sql``}`.execute(
    trx,
  );
  const around = {
    floors: new Map(floors.rows.map(({ key, ...floor }) => [key, floor])),
    leased: new Set(rows.filter(({ leased }) => leased).map(({ key }) => key)),
  };
  return {
    stored: byKey<SpaceValues>(rows.map(({ leased: _leased, ...row }) => row)),
    cells: (values) => cellsOf(values, around),
    read: (cells, stored) => readSpace(cells, stored, around),
    write: (wanted) => writeSpaces(trx, scope, wanted, around),
    remove: (things) => removeAll(trx, 'space', accountId, things),
  };
}

function cellsOf({ areas, ...values }: SpaceValues, { floors }: Around): Cells {
  const [from, area] = areaOn(areasOf(areas), floors.get(values.floor)?.today ?? '');
  return { ...values, area_m2: area, area_from: from === EVER ? null : from };
}

function readSpace(
  cells: Cells,
  stored: Stored<SpaceValues> | undefined,
  { floors, leased }: Around,
): SpaceValues | readonly Fault[] {
  const names = namesOf(cells, stored?.values);
  const [key, floor] = [cells['key'] as string, cells['floor'] as string];
  const on = floors.get(floor);
  const faults = [...faultsIn(names)];
  if (!on) faults.push(unknownKey('floor', { en: 'floor', zh: '楼层' }, floor));
  else if (stored && floors.get(stored.values.floor)?.buildingId !== on.buildingId)
    faults.push({ field: 'floor', text: { en: 'A space stays in its building.', zh: '空间不能改换楼宇。' } });
  const before = stored?.values.state ?? 'vacant';
  const state = keptOr<SpaceState>(cells['state'] ?? undefined, before, 'vacant');
  const refusal = state === before ? undefined : stateRefusal(before, state, leased.has(key));
  if (refusal) faults.push(stateFault(before, state));
  const area = cells['area_m2'] as number | undefined;
  if (isFaults(names) || !on || area === undefined || faults.length > 0) return faults;
  const areas = new Map(areasOf(stored?.values.areas ?? ''));
  const from = cells['area_from'] as string | null | undefined;
  if (typeof from === 'string') areas.set(from, area);
  else if (areas.size === 0) areas.set(EVER, area);
  else if (areaOn(areas, on.today)[1] !== area) areas.set(on.today, area);
  return { key, floor, ...names, kind: cells['kind'] as SpaceKind, state, areas: textOf(areas) };
}

const stateFault = (from: SpaceState, to: SpaceState): Fault => ({
  field: 'state',
  text: {
    en: `From ${stateWords[from].en} it cannot become ${stateWords[to].en}: leased and vacant follow the leases.`,
    zh: `不能由“${stateWords[from].zh}”改为“${stateWords[to].zh}”：已租和空置由租约决定。`,
  },
});

async function writeSpaces(
  trx: Db,
  { accountId, personId, at, newId }: Scope,
  wanted: readonly Wanted<SpaceValues>[],
  { floors }: Around,
): Promise<[]> {
  const rows = wanted.map(({ values, stored }) => {
    const { key, floor, kind } = values;
    const { id: floorId = '', buildingId = '' } = floors.get(floor) ?? {};
    return { id: stored?.id ?? newId(), accountId, key, name: nameOf(values), kind, floorId, buildingId };
  });
  const added = rows.filter((_row, i) => !wanted[i]?.stored);
  for (const some of inStatements(added)) await trx.insertInto('space').values(some).execute();
  for (const [i, { id, ...row }] of rows.entries())
    if (wanted[i]?.stored)
      await trx
        .updateTable('space')
        .set({ ...row, version: sql<number>`version + 1` })
        .where('accountId', '=', accountId)
        .where('id', '=', id)
        .execute();
  await setAreas(
    trx,
    accountId,
    rows.map(({ id }, i) => [id, areasOf(wanted[i]?.values.areas ?? '')] as const),
  );
  const changes = rows.flatMap(({ id }, i) => {
    const [from, to] = [wanted[i]?.stored?.values.state ?? 'vacant', wanted[i]?.values.state ?? 'vacant'];
    return from === to ? [] : [{ id, from, to, why: 'import' }];
  });
  await setSpaceStates(trx, { accountId, at, newId, personId }, changes);
  await followLeases(
    trx,
    { accountId, at, newId },
    rows.map(({ id }) => id),
  );
  return [];
}

/** Makes these the areas of spaces, and no others. */
async function setAreas(
  trx: Db,
  accountId: string,
  spaces: readonly (readonly [string, Areas])[],
): Promise<void> {
  const all = spaces.flatMap(([id, areas]) =>
    [...areas].map(([from, area]) => ({ id, from, area: area.toFixed(2) })),
  );
  await sql`
    with wanted as (
      select * from jsonb_to_recordset(${JSON.stringify(all)}::jsonb) as w (id uuid, "from" date, area numeric)
    ), gone as (
      delete from space_area a where a.account_id = ${accountId} and a.space_id in (select id from wanted)
        and not exists (select from wanted w where w.id = a.space_id and w."from" = a.from_date)
    )
    insert into space_area as a (account_id, space_id, from_date, area_m2)
    select ${accountId}, id, "from", area from wanted
    on conflict (space_id, from_date) do update set area_m2 = excluded.area_m2
      where a.area_m2 <> excluded.area_m2`.execute(trx);
}
