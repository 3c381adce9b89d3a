import './tables.ts';
import { type OwnTags, type PointBody, type PointSource, units, type WriteLimits } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import { sql } from 'kysely';
import {
  type Cell,
  type Cells,
  type Column,
  type Fault,
  keptOr,
  type Prepared,
  type RowFault,
  type Scope,
  type SheetKind,
  type Stored,
  unknownKey,
  type Wanted,
} from '../imports/index.ts';
import { nameColumns, nameOf, namesOf } from '../places/index.ts';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import {
  asText,
  type Bindings,
  bindingColumns,
  boundSpace,
  isFault,
  readBindings,
  tagCell,
  tagColumns,
  tagsOf,
} from './sheet-parts.ts';
import { statesOf, statesText, writeCells, writeColumns, writeOf } from './sheet-writes.ts';
import { ownPointFaults } from './thing-checks.ts';
import { pointColumns, things } from './thing-repository.ts';

/** A point as a row. */
type PointValues = {
  /** `<key of its equipment>.<key>`. */
  readonly point: string;
  readonly name_en: string;
  readonly name_zh: string;
  readonly unit: string;
  readonly kind: PointBody['kind'];
  readonly resolution: number;
  readonly decimals: number;
  readonly poll_s: number;
  readonly heartbeat_s: number;
  /** JSON; null: the template says how it is read. */
  readonly source: string | null;
  /** JSON. */
  readonly states: string | null;
  readonly write: string | null;
  readonly space: string | null;
  readonly tags: string;
  readonly brick: string | null;
};

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
        example: 'b1-ahu-1.filter_age',
      },
      pattern: /^[a-z0-9][a-z0-9-]{0,62}\.[a-z][a-z0-9_]{0,62}$/,
    },
    ...nameColumns('Filter age', '滤网寿命'),
    {
      name: 'unit',
      zh: '单位',
      type: 'word',
      example: 's',
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
    { name: 'address', zh: '地址', type: 'text', example: 'analog-value,77' },
    ...[number('scale', '系数', '1'), number('offset', '偏移', ''), number('deadband', '死区', '1', 9, 0)],
    number('resolution', '分辨率', '1'),
    { name: 'decimals', zh: '小数位', type: 'number', decimals: 0, min: 0, max: 6, example: '0' },
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

interface Holder {
  readonly id: string;
  readonly key: string;
  readonly template: string;
  readonly kind: string;
  readonly buildingId: string;
  readonly protocol: string;
}

interface Around {
  readonly templates: ReadonlyMap<string, Template>;
  readonly bindings: Bindings;
  /** By key. */
  readonly equipment: ReadonlyMap<string, Holder>;
  readonly spaces: Awaited<ReturnType<typeof things.spaces>>;
}

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
    read: (cells, stored) => readRow(cells, stored, around),
    write: (wanted) => writeAll(trx, { accountId, newId }, wanted, around),
    remove: (gone) => removeAdded(trx, accountId, gone),
  };
}

const text = (value: unknown): string | null =>
  value === null || value === undefined ? null : asText(value);

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

function cellsOf({ source, states, write, tags, ...values }: PointValues, { bindings }: Around): Cells {
  const {
    address = null,
    scale = null,
    offset = null,
    deadband = null,
  } = source === null ? {} : (JSON.parse(source) as PointSource);
  return {
    ...values,
    ...{ address, scale, offset, deadband },
    states: statesText(states === null ? null : (JSON.parse(states) as PointBody['states'])),
    ...writeCells(write === null ? null : (JSON.parse(write) as WriteLimits)),
    tags: tagCell(JSON.parse(tags) as OwnTags),
    customer: (values.space === null ? undefined : bindings.spaces.get(values.space)?.customer) ?? null,
  };
}

type TemplatePoint = Template['points'][number];

/** Reads and checks a row: points know nothing of one another. */
function readRow(
  cells: Cells,
  stored: Stored<PointValues> | undefined,
  around: Around,
): PointValues | readonly Fault[] {
  const [equipmentKey = '', key = ''] = (cells['point'] as string).split('.');
  const device = around.equipment.get(equipmentKey);
  if (!device) return [unknownKey('point', { en: 'equipment', zh: '设备' }, equipmentKey)];
  const template = around.templates.get(device.template)?.points.find((one) => one.key === key);
  const before = stored?.values;
  const usual = template && { name_en: template.name.en, name_zh: template.name.zh };
  const names = namesOf(cells, before ?? usual);
  if (Array.isArray(names)) return names as readonly Fault[];
  const space = boundSpace(cells, before?.space, around.bindings);
  const tags = tagsOf(cells['tags'], before && (JSON.parse(before.tags) as OwnTags));
  const states = statesOf(
    cells['states'],
    json<PointBody['states']>(before?.states) ?? template?.states ?? null,
  );
  const write = writeOf(cells, json<WriteLimits>(before?.write));
  const unsaid =
    template || before
      ? []
      : (['unit', 'kind', 'address'] as const)
          .filter((name) => typeof cells[name] !== 'string')
          .map(isNeeded);
  const faults = [space, tags, states, write].filter(isFault);
  if (faults.length + unsaid.length > 0) return [...faults, ...unsaid];
  const values: PointValues = {
    ...{ point: cells['point'] as string, ...(names as { name_en: string; name_zh: string }) },
    ...plainOf(cells, before, template),
    source: template && !before?.source ? null : asText(sourceOf(cells, json<PointSource>(before?.source))),
    ...{ states: text(states), write: text(write), space: space as string | null, tags: asText(tags) },
    brick: keptOr<string | null>(cells['brick'], before?.brick, null),
  };
  const found = checkRow(values, device, { template, around, before });
  return found.length > 0 ? found : values;
}

const json = <T>(value: string | null | undefined): T | undefined =>
  value === null || value === undefined ? undefined : (JSON.parse(value) as T);

const isNeeded = (field: string): Fault => ({
  field,
  text: {
    en: 'This cell must be filled: the template has no such point.',
    zh: '模板中没有该点位，此单元格必填。',
  },
});

/** What a row says, else what is stored, else the template, else what is usual. */
function plainOf(cells: Cells, before: PointValues | undefined, template: TemplatePoint | undefined) {
  const or = <T extends Cell>(name: keyof PointValues & string, usual: T): T =>
    keptOr<T>((cells[name] ?? undefined) as Cell | undefined, before?.[name] as T | undefined, usual);
  return {
    unit: or('unit', template?.unit ?? '1'),
    kind: or('kind', template?.kind ?? ('gauge' as const)),
    resolution: or('resolution', template?.resolution ?? 1),
    decimals: or('decimals', template?.decimals ?? 1),
    poll_s: or('poll_s', (template?.pollMs ?? 60_000) / 1_000),
    heartbeat_s: or('heartbeat_s', (template?.heartbeatMs ?? 300_000) / 1_000),
  };
}

function sourceOf(cells: Cells, before: PointSource | undefined): PointSource {
  const offset = keptOr<number | null>(cells['offset'], before?.offset, null);
  return {
    address: keptOr<string>(cells['address'] ?? undefined, before?.address, ''),
    scale: keptOr<number>(cells['scale'] ?? undefined, before?.scale, 1),
    deadband: keptOr<number>(cells['deadband'] ?? undefined, before?.deadband, 0),
    ...(offset !== null && { offset }),
  };
}

interface RowContext {
  readonly template: TemplatePoint | undefined;
  readonly around: Around;
  readonly before: PointValues | undefined;
}

function checkRow(values: PointValues, device: Holder, { template, around, before }: RowContext): Fault[] {
  const { buildingId, kind: deviceKind } = device;
  // What is read already is in its unit; whether it is, is known too late for a row: it stays as it was made.
  const fixed = before && bodyOf(before, around);
  const faults = ownPointFaults(bodyOf(values, around), {
    deviceKind,
    template,
    spaces: around.spaces,
    buildingId,
    fixed,
  });
  return faults.map(({ field, message }) => {
    const column = columnOf(field);
    return {
      field: column,
      text: { en: `${column}: ${message}.`, zh: `“${column}”不符合点位规则（${message}）。` },
    };
  });
}

const columns: Readonly<Record<string, string>> = {
  spaceId: 'space',
  heartbeatMs: 'heartbeat_s',
  pollMs: 'poll_s',
  key: 'point',
};
const columnOf = (field: string): string => {
  const [first = '', second] = field.split('.');
  if (first === 'source') return second ?? 'address';
  if (first === 'write')
    return second
      ? `write_${second.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`
      : 'write_min';
  return columns[first] ?? first;
};

function bodyOf(values: PointValues, { bindings }: Around): PointBody {
  const { unit, kind, resolution, decimals, poll_s: poll, heartbeat_s: heartbeat, brick, space } = values;
  return {
    key: values.point.split('.')[1] ?? '',
    name: nameOf(values),
    ...{ unit: unit as PointBody['unit'], kind, resolution, decimals, brick },
    ...{ pollMs: Math.round(poll * 1_000), heartbeatMs: Math.round(heartbeat * 1_000) },
    states: json<NonNullable<PointBody['states']>>(values.states) ?? null,
    write: json<WriteLimits>(values.write) ?? null,
    spaceId: space === null ? null : (bindings.spaces.get(space)?.id ?? null),
    tags: JSON.parse(values.tags) as OwnTags,
    source: json<PointSource>(values.source) ?? null,
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
