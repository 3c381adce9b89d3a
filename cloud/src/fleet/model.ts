import './tables.ts';
import type { Language, PointDetail, PointGap } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import { inLanguage, type LocalText } from '../platform/i18n.ts';
import { brickOf, hasOwnClass } from './kinds.ts';
import { equipmentTags, placeTags, pointTags, type Tags } from './tags.ts';

interface PlaceRow {
  readonly id: string;
  readonly key: string;
  readonly name: LocalText;
}
export interface PlaceNode extends PlaceRow {
  readonly what: 'site' | 'building' | 'floor' | 'space';
  /** Id of the place that it is part of; null: it is a site. */
  readonly parentId: string | null;
  /** Haystack id without its @. */
  readonly ref: string;
  readonly tags: Tags;
}

/** A device with its place in the model. */
export interface EquipmentNode extends EquipmentRow {
  readonly ref: string;
  readonly tags: Tags;
  /** Brick class, its own or that of its kind. */
  readonly brickClass: string;
}

/** A point with its place in the model. */
export interface PointNode extends PointRow {
  readonly ref: string;
  readonly tags: Tags;
  /** Brick class, its own or its template's; null: nobody said one. */
  readonly brickClass: string | null;
  /** Where its device has it, in the driver's own syntax; null: the template is gone. */
  readonly address: string | null;
  readonly equipment: EquipmentNode;
  readonly gaps: readonly PointGap[];
}

/** Everything of an account that has tags, each thing after what it refers to. */
export interface Model {
  readonly places: readonly PlaceNode[];
  readonly equipment: readonly EquipmentNode[];
  /** In the order of their equipment's keys, then as they were made. */
  readonly points: readonly PointNode[];
}

export interface ModelScope {
  /** Only these points, with everything else. */
  readonly points?: readonly string[];
  /** With what was retired. */
  readonly retired?: boolean;
}

/** Reads the model as far as the transaction may see it: four queries, whatever its size. */
export async function loadModel(
  db: Db,
  accountId: string,
  templates: ReadonlyMap<string, Template>,
  scope: ModelScope = {},
): Promise<Model> {
  const rows = await placeRows(db, accountId);
  const refs = referencesOf(rows);
  const places = rows.map((row) => ({ ...row, ref: refs.get(row.id)! }));
  const byId = new Map(places.map((place) => [place.id, place]));
  const tagged: PlaceNode[] = places.map((place) => ({ ...place, tags: placeTags(place, byId) }));
  const devices = await equipmentRows(db, accountId);
  const taken = new Set(refs.values());
  const deviceRefs = new Map(devices.map(({ id, key }) => [id, freeRef('equip', key, taken)]));
  const equipment = devices.map((row): EquipmentNode => {
    const ref = deviceRefs.get(row.id)!;
    const tags = equipmentTags({ ...row, ref }, { places: byId, equipment: deviceRefs });
    return { ...row, ref, tags, brickClass: row.brick ?? brickOf(row.kind) };
  });
  const ofId = new Map(equipment.map((one) => [one.id, one]));
  const points = (await pointRows(db, accountId, scope.points)).flatMap((row): PointNode[] => {
    const device = ofId.get(row.equipmentId);
    return device ? [pointNode(row, device, templates, byId)] : [];
  });
  const isShown = ({ retiredAt }: { retiredAt: Date | null }) => scope.retired === true || retiredAt === null;
  return {
    places: tagged,
    equipment: equipment.filter(isShown),
    points: points.filter((point) => isShown(point) && isShown(point.equipment)),
  };
}

function pointNode(
  row: PointRow,
  equipment: EquipmentNode,
  templates: ReadonlyMap<string, Template>,
  places: ReadonlyMap<string, Omit<PlaceNode, 'tags'>>,
): PointNode {
  const template =
    row.source === null
      ? templates.get(equipment.template)?.points.find(({ key }) => key === row.key)
      : undefined;
  const ref = `${equipment.ref}.${refText(row.key)}`;
  const brickClass = row.brick ?? template?.brick ?? null;
  const tags = pointTags({ ...row, ref }, { equipment, places, markers: template?.tags ?? [] });
  const gaps = gapsOf({ ...row, brickClass }, equipment);
  const address = row.source?.address ?? template?.address ?? null;
  return { ...row, ref, tags, brickClass, address, equipment, gaps };
}

/** What a point lacks: a class that says more than "point", a unit that its kind needs, its equipment, and a room. */
function gapsOf(
  { brickClass, unit, spaceId, kind }: PointRow & { readonly brickClass: string | null },
  equipment: EquipmentNode,
): PointGap[] {
  const hasPlace =
    spaceId !== null ||
    equipment.spaceId !== null ||
    equipment.serves.length > 0 ||
    equipment.floorId !== null;
  return [
    ...(hasOwnClass(brickClass) ? [] : (['class'] as const)),
    // A state counts nothing; anything else without a unit is a bare number.
    ...(kind !== 'state' && unit === '1' && !isRatio(brickClass) ? (['unit'] as const) : []),
    ...(equipment.retiredAt === null ? [] : (['equipment'] as const)),
    ...(hasPlace ? [] : (['space'] as const)),
  ];
}

/** Quantities that have no unit. */
const isRatio = (brickClass: string | null): boolean =>
  brickClass !== null && /Power_Factor|Count|Level|Ratio|Load_Sensor|Usage_Sensor/.test(brickClass);

export function pointDetail(point: PointNode, language: Language): PointDetail {
  const { id, ref, key, unit, kind, resolution, decimals, protocol, pollMs, heartbeatMs, states } = point;
  const { write, spaceId, tags, brick, brickClass, source, retiredAt, version, equipment, ownTags } = point;
  return {
    ...{ id, ref, key, unit, kind, resolution, decimals, protocol, pollMs, heartbeatMs, states, write },
    ...{ spaceId, brick, brickClass, source, version, names: point.name, tags: ownTags },
    name: inLanguage(point.name, language),
    equipmentId: equipment.id,
    equipmentKey: equipment.key,
    equipmentName: inLanguage(equipment.name, language),
    markers: [...tags].flatMap(([name, value]) => (value === true ? [name] : [])),
    retiredAt: retiredAt?.toISOString() ?? null,
    gaps: [...point.gaps],
  };
}

/** A key in the signs that a Haystack reference may have; others are written by their code: 楼 is ~697c. Pure. */
export const refText = (key: string): string =>
  key.replaceAll(/[^A-Za-z0-9_.-]/gu, (sign) => `~${sign.codePointAt(0)!.toString(16)}`);

/** The key, or with its kind before it where another thing has the same. Takes what it gives. */
function freeRef(what: string, key: string, taken: Set<string>): string {
  const [plain, named] = [refText(key), `${what}:${refText(key)}`];
  const ref = taken.has(plain) ? named : plain;
  taken.add(ref);
  return ref;
}

function referencesOf(rows: readonly Omit<PlaceNode, 'ref' | 'tags'>[]): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  return new Map(rows.map(({ id, what, key }) => [id, freeRef(what, key, taken)]));
}

/** Sites, then buildings, floors and spaces. */
async function placeRows(db: Db, accountId: string): Promise<Omit<PlaceNode, 'ref' | 'tags'>[]> {
  const { rows } = await sql<Omit<PlaceNode, 'ref' | 'tags'>>`
    select id, key, name, 'site' as what, null::uuid as parent_id, 1 as rank from site where account_id = ${accountId}
    union all select id, key, name, 'building', site_id, 2 from building where account_id = ${accountId}
    union all select id, key, name, 'floor', building_id, 3 from floor where account_id = ${accountId}
    union all select id, key, name, 'space', floor_id, 4 from space where account_id = ${accountId}
    order by rank, key`.execute(db);
  return rows;
}

type EquipmentRow = Awaited<ReturnType<typeof equipmentRows>>[number];

const equipmentRows = (db: Db, accountId: string) =>
  db
    .selectFrom('equipment as e')
    .select(['e.id', 'e.key', 'e.name', 'e.kind', 'e.template', 'e.protocol', 'e.buildingId', 'e.floorId'])
    .select(['e.spaceId', 'e.gatewayId', 'e.bus', 'e.params', 'e.submeterOf', 'e.tags as ownTags', 'e.brick'])
    .select(['e.retiredAt', 'e.version'])
    .select(
      sql<string[]>`array(select coalesce(v.floor_id, v.space_id)::text from equipment_serves v
        where v.equipment_id = e.id order by 1)`.as('serves'),
    )
    .where('e.accountId', '=', accountId)
    .orderBy('e.key')
    .execute();

type PointRow = Awaited<ReturnType<typeof pointRows>>[number];

const pointRows = (db: Db, accountId: string, only: readonly string[] | undefined) =>
  db
    .selectFrom('point as p')
    .innerJoin('equipment as e', 'e.id', 'p.equipmentId')
    .select([
      'p.id',
      'p.num',
      'p.key',
      'p.name',
      'p.unit',
      'p.kind',
      'p.resolution',
      'p.decimals',
      'p.protocol',
    ])
    .select(['p.pollMs', 'p.heartbeatMs', 'p.states', 'p.write', 'p.spaceId', 'p.tags as ownTags', 'p.brick'])
    .select(['p.source', 'p.retiredAt', 'p.version', 'p.equipmentId'])
    .where('p.accountId', '=', accountId)
    .$if(only !== undefined, (q) => q.where('p.id', 'in', [...only!]))
    .orderBy('e.key')
    .orderBy('p.num')
    .execute();
