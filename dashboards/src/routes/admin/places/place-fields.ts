import {
  type Building,
  type Floor,
  type Site,
  type SpaceKind,
  spaceKinds,
  type SpaceRecord,
} from '@parkline/contract';
import type { Records } from '#lib/api/places.ts';
import type { RecordField, RecordText } from '#lib/area/record-fields.ts';
import {
  namedBody,
  namedFields,
  namedText,
  namedTitle,
  type RecordFormOf,
  typedIn,
} from '#lib/area/record-form.ts';
import type { Translator } from '#lib/i18n/translator.ts';

/** Kinds of places from the widest down; each lies in the one before. */
export const placeKinds = ['sites', 'buildings', 'floors', 'spaces'] as const;
export type PlaceKind = (typeof placeKinds)[number];

const words = { sites: 'site', buildings: 'building', floors: 'floor', spaces: 'space' } as const;
const adding = {
  sites: 'addSite',
  buildings: 'addBuilding',
  floors: 'addFloor',
  spaces: 'addSpace',
} as const;
export const wordOf = ({ t }: Translator, kind: PlaceKind): string => t(`places.${words[kind]}`);
export const addWordOf = ({ t }: Translator, kind: PlaceKind): string => t(`places.${adding[kind]}`);

/** What lies in a place of this kind; undefined below the last. */
export const insideOf = (kind: PlaceKind): PlaceKind | undefined => placeKinds[placeKinds.indexOf(kind) + 1];

/** How a place is typed in; `parent` is the id of the one that a new place will lie in, '' for a site. */
export const placeForm = <K extends PlaceKind>(
  text: Translator,
  kind: K,
  parent: string,
): RecordFormOf<K> => ({
  name: kind,
  fields: fieldsOf(text, kind),
  empty: emptyText[kind],
  textOf,
  bodyOf: (typed, stored) => bodyOf(kind, typed, stored ? parentOf(stored) : parent),
  titleOf: (place) => namedTitle(text, place),
});

function fieldsOf(text: Translator, kind: PlaceKind): RecordField[] {
  const { t } = text;
  const common = namedFields(text);
  if (kind === 'sites')
    return [
      ...common,
      { name: 'timezone', label: t('places.timezone'), hint: t('places.timezoneHint'), required: true },
      { name: 'currency', label: t('places.currency'), required: true },
    ];
  if (kind === 'buildings')
    return [...common, { name: 'ord', label: t('places.ord'), type: 'number', required: true }];
  if (kind === 'floors')
    return [
      ...common,
      {
        name: 'level',
        label: t('places.level'),
        type: 'number',
        hint: t('places.levelHint'),
        required: true,
      },
    ];
  const options = spaceKinds.map((value) => ({ value, label: t(`spaceKind.${value}`) }));
  return [
    ...common,
    { name: 'kind', label: t('places.kind'), options, required: true },
    { name: 'areaM2', label: t('places.area'), type: 'number', required: true },
    { name: 'areaFrom', label: t('places.areaFrom'), type: 'date', hint: t('places.areaFromHint') },
  ];
}

type View = Site | Building | Floor | SpaceRecord;

/** A place as its form shows it. */
const textOf = ({ key, name, ...rest }: View): RecordText => ({
  ...Object.fromEntries(
    Object.entries(rest).flatMap(([field, value]) =>
      typeof value === 'string' || typeof value === 'number' ? [[field, String(value)]] : [],
    ),
  ),
  ...namedText({ key, name }),
});

/** What the form of a new place begins with. */
const emptyText: Readonly<Record<PlaceKind, RecordText>> = {
  sites: { timezone: 'Asia/Shanghai', currency: 'CNY' },
  buildings: { ord: '0' },
  floors: { level: '0' },
  spaces: { kind: 'unit' },
};

/** What is sent; `parent` is the place that it lies in. */
function bodyOf<K extends PlaceKind>(kind: K, typed: RecordText, parent: string): Records[K]['body'] {
  const of = (name: string): string => typedIn(typed, name);
  const named = namedBody(typed);
  const bodies: { readonly [Kind in PlaceKind]: () => Records[Kind]['body'] } = {
    sites: () => ({ ...named, timezone: of('timezone'), currency: of('currency') }),
    buildings: () => ({ ...named, siteId: parent, ord: Number(of('ord')) }),
    floors: () => ({ ...named, buildingId: parent, level: Number(of('level')) }),
    spaces: () => ({
      ...{ ...named, kind: of('kind') as SpaceKind, floorId: parent, areaM2: Number(of('areaM2')) },
      ...(of('areaFrom') && { areaFrom: of('areaFrom') }),
    }),
  };
  return bodies[kind]();
}

/** The place that one lies in; '' for a site. */
function parentOf(view: View): string {
  if ('floorId' in view) return view.floorId;
  if ('buildingId' in view) return view.buildingId;
  return 'siteId' in view ? view.siteId : '';
}
