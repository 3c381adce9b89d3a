import { type Fields, fieldOf, isFields, textOf } from './json.ts';
import { type Encoding, formatPlace } from './modbus-address.ts';
import { createCollector, draft, type Parsed, type PointDraft, quote } from './point.ts';
import { textFault, wholeOf } from './table.ts';
import { inUnit, isCounted } from './units.ts';

/** What a model's file cannot know: a device says it when it is read. */
export interface SunspecOptions {
  /** 0-based address of the model's first register, its ID. */
  readonly base?: number | undefined;
  /** Powers of ten by the name of the scale factor: A_SF -> -2. */
  readonly scaleFactors: ReadonlyMap<string, number>;
}

/** Number types and their "not implemented" values, SunSpec Device Information Model Specification. */
const types: Readonly<Record<string, { encoding: Encoding; size: number; sentinels: readonly number[] }>> = {
  int16: { encoding: 'i16', size: 1, sentinels: [-0x8000] },
  uint16: { encoding: 'u16', size: 1, sentinels: [0xffff] },
  count: { encoding: 'u16', size: 1, sentinels: [] },
  acc16: { encoding: 'u16', size: 1, sentinels: [] },
  enum16: { encoding: 'u16', size: 1, sentinels: [0xffff] },
  bitfield16: { encoding: 'u16', size: 1, sentinels: [0xffff] },
  sunssf: { encoding: 'i16', size: 1, sentinels: [-0x8000] },
  int32: { encoding: 'i32', size: 2, sentinels: [-0x8000_0000] },
  uint32: { encoding: 'u32', size: 2, sentinels: [0xffff_ffff] },
  acc32: { encoding: 'u32', size: 2, sentinels: [] },
  enum32: { encoding: 'u32', size: 2, sentinels: [0xffff_ffff] },
  bitfield32: { encoding: 'u32', size: 2, sentinels: [0xffff_ffff] },
  float32: { encoding: 'f32', size: 2, sentinels: [] },
  int64: { encoding: 'i64', size: 4, sentinels: [] },
  uint64: { encoding: 'u64', size: 4, sentinels: [] },
  acc64: { encoding: 'u64', size: 4, sentinels: [] },
  bitfield64: { encoding: 'u64', size: 4, sentinels: [] },
  float64: { encoding: 'f64', size: 4, sentinels: [] },
  string: { encoding: 'str', size: 1, sentinels: [] },
};
/** Types that take registers and are no value of a point. */
const others = new Set(['pad', 'ipaddr', 'ipv6addr', 'eui48', 'raw16']);

/**
 * Parses a SunSpec model. Where the model lies and what its scale factors are, only a device knows: points that depend on
 * either have no address until it is told. A row is the number of the point in the model.
 */
export function parseSunspec(model: Fields, options: SunspecOptions): Parsed {
  const collector = createCollector();
  const group = fieldOf(model, 'group') as Fields;
  const source = `sunspec ${textOf(model, 'id') || textOf(group, 'name')}`;
  const walk = { row: 0, offset: 0 };
  readGroup(group, '', { collector, options, walk, equipment: textOf(group, 'label') || null }, 0);
  return collector.done(source);
}

interface Context {
  readonly collector: ReturnType<typeof createCollector>;
  readonly options: SunspecOptions;
  readonly equipment: string | null;
  /** Where the reading stands: points so far, registers so far (NaN once a repeating group hides it). */
  readonly walk: { row: number; offset: number };
}

function readGroup(group: Fields, prefix: string, context: Context, depth: number): void {
  const points = fieldOf(group, 'points');
  for (const point of Array.isArray(points) ? (points as unknown[]) : []) {
    context.walk.row += 1;
    readPoint(point, prefix, context);
  }
  const groups = fieldOf(group, 'groups');
  for (const inner of Array.isArray(groups) ? (groups as unknown[]) : []) {
    if (!isFields(inner) || depth > 20) continue;
    const count = fieldOf(inner, 'count') ?? 1;
    if (count !== 1) context.walk.offset = Number.NaN;
    readGroup(inner, `${prefix}${textOf(inner, 'name')}.`, context, depth + 1);
  }
}

function readPoint(entry: unknown, prefix: string, { collector, options, walk, equipment }: Context): void {
  const { row, offset } = walk;
  const name = isFields(entry) ? textOf(entry, 'name') : '';
  if (!isFields(entry) || name === '' || textFault(name)) {
    collector.fault(row, 'name', 'is missing, and every point needs it');
    return;
  }
  const typeName = textOf(entry, 'type');
  const type = Object.hasOwn(types, typeName) ? types[typeName] : undefined;
  const size = textOf(entry, 'size') === '' ? type?.size : wholeOf(textOf(entry, 'size'));
  walk.offset += size ?? Number.NaN;
  if (size === undefined)
    collector.fault(row, 'size', `${quote(textOf(entry, 'size'))} is not a number of registers`);
  else if (!type && !others.has(typeName))
    collector.fault(row, 'type', `${quote(typeName)} is not a SunSpec type`);
  if (!type || size === undefined || isFixed(name, typeName)) return;
  const factor = factorOf(textOf(entry, 'sf'), options);
  const start = (options.base ?? Number.NaN) + offset;
  const missing = [
    ...(options.base === undefined ? ['tell where the model begins with --base'] : []),
    ...(Number.isNaN(offset) ? ['it lies in or behind a part that repeats'] : []),
    ...(factor === undefined ? [`tell the scale factor ${textOf(entry, 'sf')} with --scale-factor`] : []),
  ];
  const address =
    missing.length > 0 || start > 0xffff - size
      ? null
      : formatPlace({ area: 'hr', start, encoding: type.encoding, order: 'ABCD', length: size });
  collector.add(
    row,
    pointOf({ entry, key: prefix + name, type, address, factor: factor ?? 0, missing, equipment }),
    'name',
  );
}

/** The model's head and its scale factors say how to read the rest. */
const isFixed = (name: string, type: string): boolean => name === 'ID' || name === 'L' || type === 'sunssf';

/** The power of ten; undefined when only the device knows it. */
function factorOf(text: string, { scaleFactors }: SunspecOptions): number | undefined {
  if (text === '') return 0;
  return /^-?\d{1,2}$/.test(text) ? Number(text) : scaleFactors.get(text);
}

interface Told {
  readonly entry: Fields;
  readonly key: string;
  readonly type: { readonly encoding: Encoding; readonly sentinels: readonly number[] };
  readonly address: string | null;
  readonly factor: number;
  readonly missing: readonly string[];
  readonly equipment: string | null;
}

function pointOf({ entry, key, type, address, factor, missing, equipment }: Told): PointDraft {
  const typeName = textOf(entry, 'type');
  const unit = inUnit(textOf(entry, 'units') || null, Number(`1e${factor}`));
  const symbols = fieldOf(entry, 'symbols');
  const isState = typeName.startsWith('enum') || typeName.startsWith('bitfield');
  return draft({
    key,
    name: textOf(entry, 'label') || key,
    description: textOf(entry, 'desc') || null,
    equipment,
    protocol: 'modbus',
    address,
    kind:
      typeName === 'string'
        ? 'text'
        : isState
          ? 'state'
          : typeName.startsWith('acc') || isCounted(unit.unit)
            ? 'register'
            : 'gauge',
    ...unit,
    writable: textOf(entry, 'access') === 'RW',
    sentinels: type.sentinels,
    states: (Array.isArray(symbols) ? (symbols as unknown[]) : []).flatMap((symbol) =>
      isFields(symbol) && typeof fieldOf(symbol, 'value') === 'number'
        ? [[fieldOf(symbol, 'value') as number, textOf(symbol, 'label') || textOf(symbol, 'name')] as const]
        : [],
    ),
    note: missing.length > 0 ? missing.join('; ') : null,
  });
}
