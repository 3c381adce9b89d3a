import type { ParamsSchema } from './schema.ts';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const valuesOf = ({ patternProperties }: ParamsSchema): ParamsSchema | undefined =>
  patternProperties && Object.values(patternProperties)[0];

/** `value` with the schema's defaults wherever it says nothing. `value` stays as it is. */
export function withDefaults(schema: ParamsSchema, value: unknown): unknown {
  const given = value === undefined ? structuredClone(schema.default) : value;
  const { properties, items, anyOf } = schema;
  const each = valuesOf(schema);
  if (properties && isObject(given)) {
    const filled = { ...given };
    for (const [key, inner] of Object.entries(properties)) {
      const one = withDefaults(inner, given[key]);
      if (one !== undefined) filled[key] = one;
    }
    return filled;
  }
  if (each && isObject(given))
    return Object.fromEntries(Object.entries(given).map(([key, one]) => [key, withDefaults(each, one)]));
  if (items && Array.isArray(given)) return given.map((one) => withDefaults(items, one));
  if (!anyOf) return given;
  const filled = anyOf.map((inner) => ({ inner, one: withDefaults(inner, given) }));
  return (filled.find(({ inner, one }) => schemaFaults(inner, one).length === 0) ?? { one: given }).one;
}

/** Everything that is wrong with `value`, so that one correction is enough: 'whoIs/0/port must be <= 65535'. */
export function schemaFaults(schema: ParamsSchema, value: unknown, path = ''): string[] {
  const { type, anyOf, items } = schema;
  const says = (message: string): string[] => [`${path || 'params'} ${message}`];
  if (anyOf) {
    if (anyOf.some((inner) => schemaFaults(inner, value, path).length === 0)) return [];
    return says(`must be one of ${anyOf.map(nameOf).join(', ')}`);
  }
  if (schema.enum) return schema.enum.includes(value) ? [] : says(`must be one of ${schema.enum.join(', ')}`);
  if ('const' in schema) return value === schema.const ? [] : says(`must be ${nameOf(schema)}`);
  if (type !== undefined && !isOf(type, value)) return says(`must be ${type}`);
  if (isObject(value)) return objectFaults(schema, value, path);
  if (Array.isArray(value))
    return items ? value.flatMap((one, n) => schemaFaults(items, one, below(path, n))) : [];
  return limits(schema, value).flatMap(says);
}

const nameOf = (schema: ParamsSchema): string => String('const' in schema ? schema.const : schema.type);
const below = (path: string, key: string | number): string => (path === '' ? `${key}` : `${path}/${key}`);

function isOf(type: NonNullable<ParamsSchema['type']>, value: unknown): boolean {
  if (type === 'object') return isObject(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'number') return Number.isFinite(value);
  return typeof value === type;
}

function objectFaults(schema: ParamsSchema, value: Record<string, unknown>, path: string): string[] {
  const { properties = {}, required = [], additionalProperties } = schema;
  const each = valuesOf(schema);
  const missing = required.filter((key) => value[key] === undefined);
  const faults =
    missing.length > 0 ? [`${path || 'params'} must have required properties ${missing.join(', ')}`] : [];
  for (const [key, one] of Object.entries(value)) {
    const inner = Object.hasOwn(properties, key) ? properties[key] : each;
    const at = below(path, key);
    if (inner && one !== undefined) faults.push(...schemaFaults(inner, one, at));
    else if (!inner && additionalProperties === false) faults.push(`${at} is no parameter`);
  }
  return faults;
}

function limits(schema: ParamsSchema, value: unknown): string[] {
  const { minimum = -Infinity, maximum = Infinity, minLength = 0, maxLength = Infinity, pattern } = schema;
  if (typeof value === 'number')
    return [
      ...(value < minimum ? [`must be >= ${minimum}`] : []),
      ...(value > maximum ? [`must be <= ${maximum}`] : []),
    ];
  if (typeof value !== 'string') return [];
  const length = [...value].length;
  return [
    ...(length < minLength ? [`must not have fewer than ${minLength} characters`] : []),
    ...(length > maxLength ? [`must not have more than ${maxLength} characters`] : []),
    ...(pattern !== undefined && !new RegExp(pattern, 'u').test(value)
      ? [`must match pattern "${pattern}"`]
      : []),
  ];
}
