import './tables.ts';
import { type PointBody, units } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import { sql } from 'kysely';
import type {
  Column,
  Fault,
  Prepared,
  RowFault,
  Scope,
  SheetKind,
  Stored,
  Wanted,
} from '../imports/index.ts';
import { nameColumns } from '../places/index.ts';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import { type Around, bodyOf, cellsOf, type PointValues, readRow, text } from './point-rows.ts';
import { asText, bindingColumns, readBindings, tagColumns } from './sheet-parts.ts';
import { writeColumns } from './sheet-writes.ts';
import { pointColumns, things } from './thing-repository.ts';

const number = (name: string, zh: string, example: string, decimals = 9, min?: number): Column => ({
  ...{ name, zh, type: 'number', decimals, example },
  ...(min !== undefined && { min }),
});

/** `templates` are read once, when the process starts. */
export const pointSheet = (templates: ReadonlyMap<string, Template>): SheetKind<PointValues> => ({
  ...{ name: 'points', noun: 'point', title: { en: 'Points', zh: '点位' } },
  ...{ reads: 'equipment.read', writes: 'equipment.write' },
  columns: [
    {
      ...{
        name: 'point',
        zh: '点位',
        type: 'text',
        required: true,
        max: 127,
        example: 'b1-meter-1.board_temperature',
      },
      pattern: /^[a-z0-9][a-z0-9-]{0,62}\.[a-z][a-z0-9_]{0,62}$/,
    },
    ...nameColumns('Temperature of the board', '电路板温度'),
    {
      name: 'unit',
      zh: '单位',
      type: 'word',
      example: '°C',
      words: Object.fromEntries(units.map((unit) => [unit, { en: unit, zh: unit }])),
    },
    {
      ...{ name: 'kind', zh: '类型', type: 'word', example: 'gauge' },
      words: {
        gauge: { en: 'gauge', zh: '测量值' },
        register: { en: 'register', zh: '累计值' },
        state: { en: 'state', zh: '状态' },
      },
    },
    { name: 'address', zh: '地址', type: 'text', example: 'hr:80:i16' },
    ...[
      number('scale', '系数', '0.1'),
      number('offset', '偏移', ''),
      number('deadband', '死区', '0.5', 9, 0),
    ],
    number('resolution', '分辨率', ''),
    { name: 'decimals', zh: '小数位', type: 'number', decimals: 0, min: 0, max: 6, example: '1' },
    ...[
      number('poll_s', '轮询周期（秒）', '60', 3, 0.1),
      number('heartbeat_s', '最长静默（秒）', '300', 3, 1),
    ],
    { name: 'states', zh: '状态含义', type: 'text', max: 2_000, example: '' },
    ...writeColumns,
    ...bindingColumns,
    ...tagColumns,
  ],
  prepare: (trx, scope) => prepare(trx, scope, templates),
});

interface FoundPoint extends PointBody {
  readonly id: string;
  readonly version: number;
  readonly ref: string;
  readonly name: LocalText;
  readonly space: string | null;
}

async function prepare(
  trx: Db,
  { accountId, at, locks, newId }: Scope,
  templates: ReadonlyMap<string, Template>,
): Promise<Prepared<PointValues>> {
  const { rows } = await sql<FoundPoint>`
    select p.id, p.version, e.key || '.' || p.key as ref, p.name, p.unit, p.kind, p.resolution, p.decimals, p.poll_ms,
      p.heartbeat_ms, p.states, p.write, p.source, p.tags, p.brick, s.key as space
    from point p join equipment e on e.id = p.equipment_id left join space s on s.id = p.space_id
    where p.account_id = ${accountId} and p.retired_at is null and e.retired_at is null order by e.key, p.num
    ${locks ? sql`for no key update of p` : sql``}`.execute(trx);
  const holders = await trx
    .selectFrom('equipment')
    .select(['id', 'key', 'template', 'kind', 'buildingId', 'protocol'])
    .where('accountId', '=', accountId)
    .where('retiredAt', 'is', null)
    .execute();
  const around: Around = {
    templates,
    bindings: await readBindings(trx, accountId, at),
    equipment: new Map(holders.map((one) => [one.key, one])),
    spaces: await things.spaces(trx, accountId),
  };
  return {
    stored: new Map(rows.map((row): [string, Stored<PointValues>] => [row.ref, storedOf(row)])),
    cells: (values) => cellsOf(values, around),
    read: (cells, stored, partial) => readRow(cells, stored, around, partial),
    write: (wanted) => writeAll(trx, { accountId, newId }, wanted, around),
    remove: (gone) => removeAdded(trx, accountId, gone),
  };
}

function storedOf({ id, version, ref, name, ...point }: FoundPoint): Stored<PointValues> {
  const { unit, kind, resolution, decimals, pollMs, heartbeatMs, states, write, source, tags, brick, space } =
    point;
  return {
    ...{ id, version },
    values: {
      ...{ point: ref, name_en: name.en, name_zh: name.zh, unit, kind, resolution, decimals, space, brick },
      ...{ poll_s: pollMs / 1_000, heartbeat_s: heartbeatMs / 1_000, tags: asText(tags) },
      ...{ source: text(source), states: text(states), write: text(write) },
    },
  };
}

/** A statement takes at most 65,535 values. */
const ROWS_AT_ONCE = 1_000;

async function writeAll(
  trx: Db,
  { accountId, newId }: Pick<Scope, 'accountId' | 'newId'>,
  wanted: readonly Wanted<PointValues>[],
  around: Around,
): Promise<RowFault[]> {
  const rows = wanted.map(({ values, stored }) => ({
    ...{ stored, columns: pointColumns(bodyOf(values, around)) },
    device: around.equipment.get(values.point.split('.')[0] ?? '')!,
  }));
  const added = rows
    .filter(({ stored }) => !stored)
    .map(({ columns: point, device }) => ({
      id: newId(),
      accountId,
      equipmentId: device.id,
      protocol: device.protocol,
      ...point,
    }));
  for (let at = 0; at < added.length; at += ROWS_AT_ONCE)
    await trx
      .insertInto('point')
      .values(added.slice(at, at + ROWS_AT_ONCE))
      .execute();
  for (const { stored, columns: point } of rows)
    if (stored)
      await trx
        .updateTable('point')
        .set(point)
        .where('accountId', '=', accountId)
        .where('id', '=', stored.id)
        .execute();
  return [];
}

async function removeAdded(
  trx: Db,
  accountId: string,
  gone: readonly Stored<PointValues>[],
): Promise<Fault[]> {
  const ids = gone.map(({ id }) => id);
  const { rows: read } = await sql<{ ref: string }>`
    select e.key || '.' || p.key as ref from point p join equipment e on e.id = p.equipment_id
    where p.account_id = ${accountId} and p.id = any(${ids}::uuid[])
      and exists (select from reading_raw(p.id, '1970-01-01', '2200-01-01', 1))`.execute(trx);
  if (read.length > 0)
    return read.map(({ ref }) => ({
      field: ref,
      text: { en: `"${ref}" has readings by now.`, zh: `“${ref}”已有读数。` },
    }));
  await trx.deleteFrom('point').where('accountId', '=', accountId).where('id', 'in', ids).execute();
  return [];
}
