import type { OwnTags, PointKind, WriteLimits } from '@parkline/contract';
import type { LocalText } from '../platform/i18n.ts';
import { markersOf } from './kinds.ts';

/** A reference to another thing of the model. */
export interface Ref {
  readonly ref: string;
}
/** true: a marker. */
export type TagValue = true | number | string | boolean | Ref;
/** Tags of a thing by name, in the order of an export. */
export type Tags = ReadonlyMap<string, TagValue>;

interface Place {
  readonly what: 'site' | 'building' | 'floor' | 'space';
  readonly name: LocalText;
  readonly ref: string;
  readonly parentId: string | null;
}
type Places = ReadonlyMap<string, Place>;

/** Words of our templates that Project Haystack spells in another way. */
const spelling: Readonly<Record<string, string>> = {
  electricity: 'elec',
  temperature: 'temp',
  occ: 'occupied',
  cool: 'cooling',
  'power-factor': 'pf',
  frequency: 'freq',
  'phase-a': 'phaseA',
  'phase-b': 'phaseB',
  'phase-c': 'phaseC',
};

/** A word of a template as a tag name: letters, digits and _ alone. Pure. */
export const tagName = (word: string): string =>
  spelling[word] ?? word.replaceAll(/[-\s]+([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());

/** Its own tags win over those that follow from what and where it is, the id and the references to its places apart. */
function withOwn(tags: ReadonlyMap<string, TagValue>, own: OwnTags, fixed: readonly string[]): Tags {
  const all = new Map(tags);
  for (const [name, value] of Object.entries(own))
    if (!fixed.includes(name))
      all.set(
        name,
        typeof value === 'string' && /^@[A-Za-z0-9_:.~-]+$/.test(value) ? { ref: value.slice(1) } : value,
      );
  return all;
}

const fixedTags = ['id', 'site', 'space', 'equip', 'point', 'siteRef', 'equipRef'];

/** The reference tags of a place and of all that it is part of. */
function placeRefs(placeId: string | null, places: Places): [string, TagValue][] {
  const refs: [string, TagValue][] = [];
  for (let place = placeId === null ? undefined : places.get(placeId); place;) {
    refs.unshift([`${place.what}Ref`, { ref: place.ref }]);
    place = place.parentId === null ? undefined : places.get(place.parentId);
  }
  return refs;
}

export function placeTags({ what, name, ref, parentId }: Place, places: Places): Tags {
  const markers = what === 'site' ? ['site'] : what === 'space' ? ['space', 'room'] : ['space', what];
  return new Map<string, TagValue>([
    ['id', { ref }],
    ['dis', name.en],
    ['disZh', name.zh],
    ...markers.map((marker): [string, TagValue] => [marker, true]),
    ...placeRefs(parentId, places),
  ]);
}

interface TaggedEquipment {
  readonly ref: string;
  readonly name: LocalText;
  readonly kind: string;
  readonly buildingId: string;
  readonly floorId: string | null;
  readonly spaceId: string | null;
  readonly submeterOf: string | null;
  readonly ownTags: OwnTags;
}

export function equipmentTags(
  { ref, name, kind, buildingId, floorId, spaceId, submeterOf, ownTags }: TaggedEquipment,
  around: { readonly places: Places; readonly equipment: ReadonlyMap<string, string> },
): Tags {
  const behind = submeterOf === null ? undefined : around.equipment.get(submeterOf);
  const isMeter = kind.endsWith('-meter');
  const tags = new Map<string, TagValue>([
    ['id', { ref }],
    ['dis', name.en],
    ['disZh', name.zh],
    ['equip', true],
    ...markersOf(kind).map((marker): [string, TagValue] => [marker, true]),
    ...(isMeter ? [[behind ? 'submeter' : 'siteMeter', true] as [string, TagValue]] : []),
    ...(behind ? [['submeterOf', { ref: behind }] as [string, TagValue]] : []),
    ...placeRefs(spaceId ?? floorId ?? buildingId, around.places),
  ]);
  return withOwn(tags, ownTags, fixedTags);
}

interface TaggedPoint {
  readonly ref: string;
  readonly name: LocalText;
  readonly unit: string;
  readonly kind: PointKind;
  readonly states: Readonly<Record<string, LocalText>> | null;
  readonly write: WriteLimits | null;
  readonly spaceId: string | null;
  readonly ownTags: OwnTags;
}

/** `markers`: the template's words for the point. */
export function pointTags(
  { ref, name, unit, kind, states, write, spaceId, ownTags }: TaggedPoint,
  {
    equipment,
    places,
    markers,
  }: {
    readonly equipment: TaggedEquipment & { readonly tags: Tags };
    readonly places: Places;
    readonly markers: readonly string[];
  },
): Tags {
  const where = spaceId === null ? [...equipment.tags].filter(isPlaceRef) : placeRefs(spaceId, places);
  const said = markers.map(tagName);
  const isOrdered = said.some((word) => word === 'sp' || word === 'cmd');
  const tags = new Map<string, TagValue>([
    ['id', { ref }],
    ['dis', name.en],
    ['disZh', name.zh],
    ['point', true],
    ...(isOrdered ? [] : [['sensor', true] as [string, TagValue]]),
    ...said.map((word): [string, TagValue] => [word, true]),
    ['kind', kind === 'state' && isYesOrNo(states) ? 'Bool' : 'Number'],
    ...(unit === '1' ? [] : [['unit', unit] as [string, TagValue]]),
    ...(kind === 'register' ? [['hisTotalized', true] as [string, TagValue]] : []),
    ...(write
      ? ([
          ['writable', true],
          ['minVal', write.min],
          ['maxVal', write.max],
        ] as [string, TagValue][])
      : []),
    ...enumOf(states),
    ['equipRef', { ref: equipment.ref }],
    ...where,
  ]);
  return withOwn(tags, ownTags, fixedTags);
}

const isPlaceRef = ([name]: [string, TagValue]): boolean => /^(site|building|floor|space)Ref$/.test(name);

const isYesOrNo = (states: TaggedPoint['states']): boolean =>
  states !== null && Object.keys(states).toSorted().join() === '0,1';

/** Names of the states where they are numbered from 0 without a hole, which is all that the tag can say. */
function enumOf(states: TaggedPoint['states']): [string, TagValue][] {
  const names = Object.keys(states ?? {})
    .map(Number)
    .toSorted((a, b) => a - b);
  if (!states || names.some((value, i) => value !== i)) return [];
  return [['enum', names.map((value) => states[value]!.en.replaceAll(',', ' ')).join(',')]];
}
