import * as bacnet from './bacnet-names.ts';
import { type Entity, readEntities, type Value } from './haystack-read.ts';
import { type Area, formatPlace } from './modbus-address.ts';
import { createCollector, draft, type Parsed, type PointDraft, quote, type SourceFile } from './point.ts';
import { numberOf, textFault } from './table.ts';
import { inUnit, isCounted, valueInUnit } from './units.ts';

type Complain = (field: string, message: string) => void;
type Tags = Entity['tags'];

/** Names of the records by id, as references show them. */
type Names = ReadonlyMap<string, string>;

/** Parses a Haystack model: its points, named by their equipment and site. Values and histories are left out. */
export function parseHaystack(file: SourceFile): Parsed {
  const collector = createCollector();
  const { entities, faults } = readEntities(file.text);
  for (const { row, field, message } of faults) collector.fault(row, field, message);
  const names: Names = new Map(
    entities.flatMap(({ tags }) => {
      const id = tags.get('id');
      return id?.kind === 'ref' ? [[id.id, nameOf(tags)] as const] : [];
    }),
  );
  let points = 0;
  for (const { row, tags } of entities) {
    if (tags.get('point')?.kind !== 'marker') continue;
    points += 1;
    const point = readPoint(tags, names, (field, message) => {
      collector.fault(row, field, message);
    });
    if (point) collector.add(row, point, 'id');
  }
  if (points === 0 && faults.length === 0) {
    const what = `${entities.length} records, and none has the marker "point"`;
    collector.fault(1, 'point', `the file holds ${what}`);
  }
  return collector.done('haystack');
}

function readPoint(tags: Tags, names: Names, complain: Complain): PointDraft | undefined {
  let isSound = true;
  const fail: Complain = (field, message) => {
    isSound = false;
    complain(field, message);
  };
  const id = tags.get('id');
  if (id?.kind !== 'ref' || id.id === '')
    fail('id', 'is missing or no reference; a point needs its own, like @p:demo:r:1');
  const text = (name: string): string => textOf(tags.get(name));
  for (const name of ['dis', 'navName', 'unit', 'kind']) {
    const why = textFault(text(name));
    if (why) fail(name, why);
  }
  const kind = kindOf(tags, fail);
  if (!isSound || id?.kind !== 'ref') return undefined;
  const unit = inUnit(text('unit') || null);
  const isCommanded = ['sp', 'cmd', 'writable'].some((name) => tags.get(name)?.kind === 'marker');
  return draft({
    key: id.id,
    name: nameOf(tags),
    description: text('doc') || null,
    site: refName(tags.get('siteRef'), names),
    equipment: refName(tags.get('equipRef'), names),
    location: refName(tags.get('spaceRef') ?? tags.get('floorRef'), names),
    ...addressOf(tags, fail),
    kind: kind === 'gauge' && isCounted(unit.unit) && !isCommanded ? 'register' : kind,
    ...unit,
    writable: isCommanded,
    min: valueInUnit(unit.sourceUnit, limitOf(tags.get('minVal'))),
    max: valueInUnit(unit.sourceUnit, limitOf(tags.get('maxVal'))),
    tags: [...tags].flatMap(([name, { kind: what }]) => (what === 'marker' ? [name] : [])).sort(),
    states: statesOf(text('enum')),
  });
}

function nameOf(tags: Tags): string {
  const id = tags.get('id');
  const dis = id?.kind === 'ref' ? id.dis : null;
  const named = [textOf(tags.get('dis')), dis, textOf(tags.get('navName')), textOf(tags.get('name'))];
  return named.find((name) => name) ?? (id?.kind === 'ref' ? id.id : '');
}

function refName(value: Value | undefined, names: Names): string | null {
  if (value?.kind !== 'ref') return null;
  return names.get(value.id) ?? value.dis ?? value.id;
}

const textOf = (value: Value | undefined): string =>
  value?.kind === 'text' ? value.text.trim() : value?.kind === 'number' ? String(value.value) : '';

const limitOf = (value: Value | undefined): number | null =>
  value?.kind === 'number' ? value.value : (numberOf(/^[-+\d.e]+/i.exec(textOf(value))?.[0] ?? '') ?? null);

/** Kinds of Haystack, and Niagara's words for them. */
const kinds: ReadonlyMap<string, PointDraft['kind']> = new Map([
  ...['Number', 'Numeric', 'number'].map((name) => [name, 'gauge'] as const),
  ...['Bool', 'Boolean', 'bool'].map((name) => [name, 'state'] as const),
  ...[
    'Str',
    'String',
    'str',
    'Uri',
    'Ref',
    'Date',
    'Time',
    'DateTime',
    'Coord',
    'Obj',
    'Dict',
    'List',
    'Grid',
    'XStr',
    'Symbol',
  ].map((name) => [name, 'text'] as const),
]);

function kindOf(tags: Tags, fail: Complain): PointDraft['kind'] {
  const told = textOf(tags.get('kind'));
  if (told === '') return tags.get('enum') ? 'state' : 'gauge';
  const kind = kinds.get(told);
  if (!kind) fail('kind', `${quote(told)} is not one of Number, Bool, Str`);
  return kind ?? 'gauge';
}

/** Texts of an enum, numbered from 0: "off,on". */
const statesOf = (text: string): PointDraft['states'] =>
  text.includes(',') ? text.split(',').map((state, at) => [at, state.trim()] as const) : [];

/** `bacnetCur` ("AI3") and `modbusCur` ("40017", "30005") of the common connectors. */
function addressOf(tags: Tags, fail: Complain): Partial<PointDraft> {
  const object = textOf(tags.get('bacnetCur'));
  if (object !== '') {
    const [, letters = '', number = ''] = /^([A-Za-z]+)[:-]?(\d{1,7})$/.exec(object) ?? [];
    const type = bacnet.objectTypeOf(letters);
    if (type !== undefined) return { protocol: 'bacnet', address: bacnet.addressOf(type, Number(number)) };
    fail('bacnetCur', `${quote(object)} is not an object like AI3`);
  }
  const register = textOf(tags.get('modbusCur'));
  const [, table = '', number = ''] = /^([0134])(\d{4,5})$/.exec(register) ?? [];
  if (table === '' || Number(number) === 0) return {};
  const area = ({ 0: 'co', 1: 'di', 3: 'ir', 4: 'hr' } as const)[table as '0'] as Area;
  return {
    protocol: 'modbus',
    address: formatPlace({
      area,
      start: Number(number) - 1,
      encoding: area === 'co' || area === 'di' ? 'bit' : 'u16',
      order: 'ABCD',
    }),
  };
}
