import './tables.ts';
import type { OwnTags } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import { sql } from 'kysely';
import {
  type Fault,
  listOf,
  type Prepared,
  type RowFault,
  type Scope,
  type SheetKind,
  type Stored,
  type Wanted,
} from '../imports/index.ts';
import { keyColumn, nameColumns, refColumn } from '../places/index.ts';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import {
  type Around,
  bodyOf,
  busWarnings,
  cellsOf,
  type EquipmentValues,
  readRow,
} from './equipment-rows.ts';
import { insertPoints } from './seed-points.ts';
import { asText, bindingColumns, readBindings, tagColumns } from './sheet-parts.ts';
import type { EquipmentParams } from './tables.ts';
import { tellEquipmentChanged } from './thing-changes.ts';
import { equipmentFaults } from './thing-checks.ts';
import { equipmentColumns, things } from './thing-repository.ts';
import { thingWords } from './thing-words.ts';

/** `templates` are read once, when the process starts. */
export const equipmentSheet = (templates: ReadonlyMap<string, Template>): SheetKind<EquipmentValues> => ({
  ...{ name: 'equipment', noun: 'equipment', title: { en: 'Equipment', zh: '设备' } },
  ...{ reads: 'equipment.read', writes: 'equipment.write' },
  columns: [
    keyColumn('b1-meter-1'),
    ...nameColumns('Meter of unit 101', '101 单元电表'),
    { name: 'template', zh: '模板', type: 'text', required: true, example: 'three-phase-meter/carlo-em24' },
    refColumn('gateway', '网关编号', 'gw-1'),
    refColumn('building', '楼宇编号', 'b1'),
    refColumn('floor', '楼层编号', 'b1-f1', false),
    ...bindingColumns,
    {
      name: 'bus',
      zh: '总线',
      type: 'text',
      required: true,
      pattern: /^[a-z0-9][a-z0-9-]{0,62}$/,
      example: 'b1-panel',
    },
    { name: 'address', zh: '地址', type: 'text', required: true, example: '7' },
    { name: 'transport', zh: '传输方式', type: 'text', example: 'tcp' },
    { name: 'meter_type', zh: '表计类型', type: 'text', example: '' },
    refColumn('submeter_of', '上级表编号', '', false),
    { name: 'serves', zh: '服务范围', type: 'list', example: '' },
    ...tagColumns,
  ],
  prepare: (trx, scope) => prepare(trx, scope, templates),
});

async function prepare(
  trx: Db,
  { accountId, at, locks, newId }: Scope,
  templates: ReadonlyMap<string, Template>,
): Promise<Prepared<EquipmentValues>> {
  const { rows } = await sql<FoundEquipment>`
    select e.id, e.version, e.key, e.name, e.template, g.key as gateway, b.key as building, f.key as floor, s.key as space,
      e.bus, e.params, p.key as submeter_of, e.tags, e.brick,
      array(select coalesce(vf.key, vs.key) from equipment_serves v left join floor vf on vf.id = v.floor_id
        left join space vs on vs.id = v.space_id where v.equipment_id = e.id order by 1) as serves
    from equipment e join gateway g on g.id = e.gateway_id join building b on b.id = e.building_id
      left join floor f on f.id = e.floor_id left join space s on s.id = e.space_id
      left join equipment p on p.id = e.submeter_of
    where e.account_id = ${accountId} and e.retired_at is null order by e.key
    ${locks ? sql`for no key update of e` : sql``}`.execute(trx);
  const around: Around = {
    ...(await things.surrounding(trx, accountId)),
    templates,
    bindings: await readBindings(trx, accountId, at),
    ids: await idsByKey(trx, accountId),
    neighbours: await things.neighbours(trx, accountId),
  };
  const stored = new Map(rows.map((row): [string, Stored<EquipmentValues>] => [row.key, storedOf(row)]));
  return {
    stored,
    cells: (values) => cellsOf(values, around),
    read: (cells, before) => readRow(cells, before, around),
    check: (wanted, amiss) => checkAll(wanted, around, amiss),
    warn: (rows) => busWarnings(rows, around),
    async write(wanted) {
      await tellEquipmentChanged(trx, accountId, { at, newId });
      return writeAll(trx, { accountId, newId }, wanted, { around, stored });
    },
    remove: (gone) => removeAdded(trx, accountId, gone),
  };
}

interface FoundEquipment extends Omit<
  EquipmentValues,
  'name_en' | 'name_zh' | 'params' | 'tags' | 'submeter_of'
> {
  readonly submeterOf: string | null;
  readonly id: string;
  readonly version: number;
  readonly name: LocalText;
  readonly params: EquipmentParams;
  readonly tags: OwnTags;
}

function storedOf({
  id,
  version,
  name,
  params,
  tags,
  submeterOf,
  ...values
}: FoundEquipment): Stored<EquipmentValues> {
  const texts = { params: asText(params), tags: asText(tags), serves: listOf(values.serves) };
  return {
    id,
    version,
    values: { ...values, ...texts, submeter_of: submeterOf, name_en: name.en, name_zh: name.zh },
  };
}

async function idsByKey(trx: Db, accountId: string): Promise<Around['ids']> {
  const { rows } = await sql<{ what: 'gateway' | 'building' | 'floor' | 'space'; key: string; id: string }>`
    select 'gateway' as what, key, id from gateway where account_id = ${accountId}
    union all select 'building', key, id from building where account_id = ${accountId}
    union all select 'floor', key, id from floor where account_id = ${accountId}
    union all select 'space', key, id from space where account_id = ${accountId}`.execute(trx);
  const of = (what: string) =>
    new Map(rows.filter((row) => row.what === what).map(({ key, id }) => [key, id]));
  return { gateway: of('gateway'), building: of('building'), floor: of('floor'), space: of('space') };
}

/** Columns by what begins the field that the checks name. */
const columns: Readonly<Record<string, string>> = {
  buildingId: 'building',
  gatewayId: 'gateway',
  floorId: 'floor',
  spaceId: 'space',
  params: 'address',
  submeterOfId: 'submeter_of',
};

const columnOf = (field: string): string => {
  const [first = ''] = field.split('.');
  return columns[first] ?? first;
};

function checkAll(
  wanted: readonly Wanted<EquipmentValues>[],
  around: Around,
  amiss: ReadonlySet<string>,
): RowFault[] {
  const idOf = ({ values, stored }: Wanted<EquipmentValues>) => stored?.id ?? `new ${values.key}`;
  const others = around.neighbours.filter(({ key }) => !amiss.has(key));
  const all = new Map(others.map((one) => [one.id, one]));
  const byKey = new Map(others.map(({ key, id }) => [key, id]));
  for (const one of wanted) byKey.set(one.values.key, idOf(one));
  const bodies = wanted.map((one) => ({ one, id: idOf(one), body: bodyOf(one.values, around, byKey) }));
  for (const { id, body } of bodies) {
    const template = around.templates.get(body.template)!;
    const { key, gatewayId, bus, params, submeterOfId: submeterOf } = body;
    all.set(id, {
      id,
      key,
      gatewayId,
      bus,
      params,
      submeterOf,
      kind: template.kind,
      protocol: template.protocol,
    });
  }
  const neighbours = [...all.values()];
  return bodies.flatMap(({ one: { row, values, stored }, id, body }) => {
    const template = around.templates.get(values.template);
    const faults = equipmentFaults(body, id, {
      ...around,
      template,
      others: neighbours.filter((other) => other.id !== id),
    });
    if (values.submeter_of !== null && body.submeterOfId === null && !amiss.has(values.submeter_of))
      faults.push({ field: 'submeterOfId', message: thingWords.noSuchDevice(values.submeter_of) });
    const before = stored && around.templates.get(stored.values.template);
    if (before && (before.kind !== template?.kind || before.protocol !== template.protocol))
      faults.push({ field: 'template', message: thingWords.otherKind(before.id) });
    return faults.map(({ field, message }) => {
      const column = columnOf(field);
      return { row, field: column, text: { en: `${column}: ${message.en}.`, zh: `${message.zh}。` } };
    });
  });
}

async function writeAll(
  trx: Db,
  { accountId, newId }: Pick<Scope, 'accountId' | 'newId'>,
  wanted: readonly Wanted<EquipmentValues>[],
  {
    around,
    stored,
  }: { readonly around: Around; readonly stored: ReadonlyMap<string, Stored<EquipmentValues>> },
): Promise<RowFault[]> {
  const ids = new Map([...stored].map(([key, { id }]) => [key, id]));
  for (const { values } of wanted) if (!ids.has(values.key)) ids.set(values.key, newId());
  const rows = wanted.map((one) => {
    const template = around.templates.get(one.values.template)!;
    const body = bodyOf(one.values, around, ids);
    return { one, template, body, id: ids.get(one.values.key)!, columns: equipmentColumns(body, template) };
  });
  const added = rows.filter(({ one }) => !one.stored);
  // Parents afterwards: a meter may hang behind one that comes later in the file.
  if (added.length > 0)
    await trx
      .insertInto('equipment')
      .values(added.map(({ id, columns }) => ({ id, accountId, ...columns, submeterOf: null })))
      .execute();
  for (const { id, columns, one } of rows) {
    if (!one.stored && columns.submeterOf === null) continue;
    await trx
      .updateTable('equipment')
      .set(columns)
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  }
  for (const { id, body, one } of rows)
    if (body.serves.length > 0 || (one.stored?.values.serves.length ?? 0) > 0) {
      await things.serve(trx, accountId, id, body.serves, around.floors);
      if (one.stored) await bump(trx, id, one.stored.version);
    }
  await insertPoints(
    trx,
    accountId,
    rows
      .filter(({ one }) => one.stored?.values.template !== one.values.template)
      .map(({ id, template }) => ({ equipmentId: id, template })),
    newId,
  );
  return [];
}

/** Versions rise also where nothing but what a device serves has changed. */
const bump = (trx: Db, id: string, before: number) =>
  trx
    .updateTable('equipment')
    .set({ version: before + 1 })
    .where('id', '=', id)
    .where('version', '=', before)
    .execute();

async function removeAdded(
  trx: Db,
  accountId: string,
  gone: readonly Stored<EquipmentValues>[],
): Promise<Fault[]> {
  const ids = gone.map(({ id }) => id);
  const { rows: read } = await sql<{ key: string }>`
    select distinct e.key from equipment e join point p on p.equipment_id = e.id
    where e.account_id = ${accountId} and e.id = any(${ids}::uuid[])
      and exists (select from reading_raw(p.id, '1970-01-01', '2200-01-01', 1))`.execute(trx);
  if (read.length > 0)
    return read.map(({ key }) => ({
      field: key,
      text: { en: `"${key}" has readings by now.`, zh: `“${key}”已有读数。` },
    }));
  await trx.updateTable('equipment').set({ submeterOf: null }).where('id', 'in', ids).execute();
  await trx.deleteFrom('point').where('accountId', '=', accountId).where('equipmentId', 'in', ids).execute();
  await trx.deleteFrom('equipment').where('accountId', '=', accountId).where('id', 'in', ids).execute();
  return [];
}
