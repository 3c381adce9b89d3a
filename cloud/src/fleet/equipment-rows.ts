/* eslint-disable @typescript-eslint/consistent-type-definitions -- values of a kind are JSON by their index, which an interface has not */
import type { EquipmentBody, OwnTags } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import {
  type Cells,
  type Fault,
  keptOr,
  listOf,
  type RowFault,
  type Stored,
  unknownKey,
  type Wanted,
} from '../imports/index.ts';
import { faultsIn, isFaults, nameOf, namesOf } from '../places/index.ts';
import { nameOnBus } from './addresses.ts';
import { asText, type Bindings, boundSpace, isFault, tagCell, tagsOf } from './sheet-parts.ts';
import type { EquipmentParams } from './tables.ts';
import type { Neighbour, Surrounding } from './thing-checks.ts';

/** A device as a row: what it names is named by key. */
export type EquipmentValues = {
  readonly key: string;
  readonly name_en: string;
  readonly name_zh: string;
  readonly template: string;
  readonly gateway: string;
  readonly building: string;
  readonly floor: string | null;
  readonly space: string | null;
  readonly bus: string;
  /** JSON. */
  readonly params: string;
  readonly submeter_of: string | null;
  readonly serves: readonly string[];
  /** JSON. */
  readonly tags: string;
  readonly brick: string | null;
};

export interface Around extends Omit<Surrounding, 'template' | 'others'> {
  readonly templates: ReadonlyMap<string, Template>;
  readonly bindings: Bindings;
  /** Ids by key. */
  readonly ids: Readonly<Record<'gateway' | 'building' | 'floor' | 'space', ReadonlyMap<string, string>>>;
  readonly neighbours: readonly Neighbour[];
}

const fieldOnBus = (protocol: string | undefined): string =>
  nameOnBus[protocol as keyof typeof nameOnBus] ?? 'address';

export function cellsOf(
  { params, tags, ...values }: EquipmentValues,
  { templates, bindings }: Around,
): Cells {
  const given = JSON.parse(params) as EquipmentParams;
  const { transport, type } = given;
  return {
    ...values,
    tags: tagCell(JSON.parse(tags) as OwnTags),
    customer: (values.space === null ? undefined : bindings.spaces.get(values.space)?.customer) ?? null,
    address: String(given[fieldOnBus(templates.get(values.template)?.protocol)] ?? ''),
    transport: typeof transport === 'string' ? transport : null,
    meter_type: typeof type === 'string' ? type : null,
  };
}

/** What is true of the row by itself; what it says of others is checked when all rows are known. */
export function readRow(
  cells: Cells,
  stored: Stored<EquipmentValues> | undefined,
  { templates, bindings, ids }: Around,
): EquipmentValues | readonly Fault[] {
  const names = namesOf(cells, stored?.values);
  const before = stored?.values;
  const template = templates.get(cells['template'] as string);
  const space = boundSpace(cells, before?.space, bindings);
  const tags = tagsOf(cells['tags'], before && (JSON.parse(before.tags) as OwnTags));
  const serves =
    cells['serves'] === undefined ? (before?.serves ?? []) : ((cells['serves'] ?? []) as readonly string[]);
  const faults: Fault[] = [...faultsIn(names), ...[space, tags].filter(isFault)];
  if (!template)
    faults.push(unknownKey('template', { en: 'template', zh: '模板' }, cells['template'] as string));
  const floor = keptOr<string | null>(cells['floor'], before?.floor, null);
  for (const [what, zh, key] of [
    ['gateway', '网关', cells['gateway'] as string],
    ['building', '楼宇', cells['building'] as string],
    ['floor', '楼层', floor],
  ] as const)
    if (key !== null && !ids[what].has(key)) faults.push(unknownKey(what, { en: what, zh }, key));
  for (const key of serves)
    if (!ids.floor.has(key) && !ids.space.has(key))
      faults.push(unknownKey('serves', { en: 'floor or space', zh: '楼层或空间' }, key));
  if (isFaults(names) || faults.length > 0 || !template) return faults;
  return {
    ...{
      key: cells['key'] as string,
      ...names,
      template: template.id,
    },
    ...{ gateway: cells['gateway'] as string, building: cells['building'] as string, floor },
    ...{ space: space as string | null, bus: cells['bus'] as string, serves: listOf(serves) },
    params: asText(
      paramsOf(cells, template.protocol, before && (JSON.parse(before.params) as EquipmentParams)),
    ),
    submeter_of: keptOr<string | null>(cells['submeter_of'], before?.submeter_of, null),
    tags: asText(tags),
    brick: keptOr<string | null>(cells['brick'], before?.brick, null),
  };
}

/** Buses that nobody described for the gateway of a row: they may come later, and until then the gateway stays as it is. */
export const busWarnings = (rows: readonly Wanted<EquipmentValues>[], { ids, buses }: Around): RowFault[] =>
  rows
    .filter(({ values: { gateway, bus } }) => !buses.has(`${ids.gateway.get(gateway)} ${bus}`))
    .map(({ row, values: { gateway, bus } }) => ({
      ...{ row, field: 'bus' },
      text: {
        en: `Nobody has described the bus "${bus}" of the gateway "${gateway}", which gets no other configuration until then. Add the bus (Administration, Equipment, Field buses), or correct the cell.`,
        zh: `网关“${gateway}”的总线“${bus}”尚未填写，在此之前无法向该网关下发新配置。请添加该总线（系统管理、设备、现场总线），或更正此单元格。`,
      },
    }));

/** The address of a protocol from the columns; numbers where it counts. */
function paramsOf(cells: Cells, protocol: string, before: EquipmentParams | undefined): EquipmentParams {
  const address = cells['address'] as string;
  const isNumber = protocol === 'modbus' || protocol === 'bacnet';
  const value = isNumber && /^\d{1,9}$/.test(address) ? Number(address) : address;
  const transport = keptOr<string | null>(
    cells['transport'],
    before?.['transport'] as string | undefined,
    null,
  );
  const type = keptOr<string | null>(cells['meter_type'], before?.['type'] as string | undefined, null);
  const idOrder = protocol === 'cjt188' ? before?.['idOrder'] : undefined;
  return {
    [fieldOnBus(protocol)]: value,
    ...(protocol === 'modbus' && { transport: transport ?? 'tcp' }),
    ...(protocol === 'cjt188' && type !== null && { type: type.toUpperCase() }),
    ...(idOrder !== undefined && { idOrder }),
  };
}

export function bodyOf(
  values: EquipmentValues,
  { ids }: Around,
  byKey: ReadonlyMap<string, string>,
): EquipmentBody {
  const { key, template, bus, brick, floor, space, gateway, building, serves, submeter_of: parent } = values;
  const floorId = floor === null ? null : (ids.floor.get(floor) ?? null);
  return {
    ...{ key, template, bus, brick, name: nameOf(values), floorId },
    gatewayId: ids.gateway.get(gateway) ?? '',
    buildingId: ids.building.get(building) ?? '',
    spaceId: space === null ? null : (ids.space.get(space) ?? null),
    params: JSON.parse(values.params) as EquipmentParams,
    submeterOfId: parent === null ? null : (byKey.get(parent) ?? null),
    serves: serves.map((place) => ids.floor.get(place) ?? ids.space.get(place) ?? ''),
    tags: JSON.parse(values.tags) as OwnTags,
  };
}
