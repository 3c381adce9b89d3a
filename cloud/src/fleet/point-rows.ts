/* eslint-disable @typescript-eslint/consistent-type-definitions -- values of a kind are JSON by their index, which an interface has not */
import type { OwnTags, PointBody, PointSource, WriteLimits } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import { type Cell, type Cells, type Fault, keptOr, type Stored, unknownKey } from '../imports/index.ts';
import { faultsIn, isFaults, nameOf, namesOf } from '../places/index.ts';
import { asText, type Bindings, boundSpace, isFault, tagCell, tagsOf } from './sheet-parts.ts';
import { statesOf, statesText, writeCells, writeOf } from './sheet-writes.ts';
import { ownPointFaults } from './thing-checks.ts';
import type { things } from './thing-repository.ts';

/** A point as a row. */
export type PointValues = {
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

interface Holder {
  readonly id: string;
  readonly key: string;
  readonly template: string;
  readonly kind: string;
  readonly buildingId: string;
  readonly protocol: string;
}

export interface Around {
  readonly templates: ReadonlyMap<string, Template>;
  readonly bindings: Bindings;
  /** By key. */
  readonly equipment: ReadonlyMap<string, Holder>;
  readonly spaces: Awaited<ReturnType<typeof things.spaces>>;
}

export const text = (value: unknown): string | null =>
  value === null || value === undefined ? null : asText(value);

export function cellsOf(
  { source, states, write, tags, ...values }: PointValues,
  { bindings }: Around,
): Cells {
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

/** Reads and checks a row: points know nothing of one another. What one cell says of another is left out of a partial row. */
export function readRow(
  cells: Cells,
  stored: Stored<PointValues> | undefined,
  around: Around,
  partial: boolean,
): PointValues | readonly Fault[] {
  const [equipmentKey = '', key = ''] = (cells['point'] as string).split('.');
  const device = around.equipment.get(equipmentKey);
  const template = around.templates.get(device?.template ?? '')?.points.find((one) => one.key === key);
  const before = stored?.values;
  const usual = template && { name_en: template.name.en, name_zh: template.name.zh };
  const names = namesOf(cells, before ?? usual);
  const space = boundSpace(cells, before?.space, around.bindings);
  const tags = tagsOf(cells['tags'], before && (JSON.parse(before.tags) as OwnTags));
  const states = statesOf(
    cells['states'],
    json<PointBody['states']>(before?.states) ?? template?.states ?? null,
  );
  const write = writeOf(cells, json<WriteLimits>(before?.write));
  const unsaid =
    template || before || !device
      ? []
      : (['unit', 'kind', 'address'] as const)
          .filter((name) => typeof cells[name] !== 'string')
          .map(isNeeded);
  const faults = [...[space, tags, states, write].filter(isFault), ...unsaid];
  if (!device) return [unknownKey('point', { en: 'equipment', zh: '设备' }, equipmentKey), ...faults];
  faults.push(...faultsIn(names));
  if (isFaults(names) || partial || faults.length > 0) return faults;
  const values: PointValues = {
    ...{ point: cells['point'] as string, ...names },
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
      text: { en: `${column}: ${message.en}.`, zh: `${message.zh}。` },
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

export function bodyOf(values: PointValues, { bindings }: Around): PointBody {
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
