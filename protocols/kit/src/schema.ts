import type { Static, TSchema, Type as TypeboxType } from 'typebox';

export type { Static, TSchema };

/**
 * What parameters are described with: JSON Schema (2020-12) as the builders below write it. Nothing else is checked, so nothing
 * else can be written.
 */
export interface ParamsSchema {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, ParamsSchema>>;
  readonly required?: readonly string[];
  /** false: no key but `properties`. */
  readonly additionalProperties?: boolean;
  /** A record: the schema of each value, by a pattern of all keys. */
  readonly patternProperties?: Readonly<Record<string, ParamsSchema>>;
  readonly items?: ParamsSchema;
  readonly anyOf?: readonly ParamsSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Characters. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

type Options = Readonly<Record<string, unknown>>;

/** Keys that an object may lack; they are the same schemas otherwise. */
const optional = new WeakSet<ParamsSchema>();

/** @throws TypeError for an option that would not be checked. */
function schema(made: ParamsSchema, options: Options = {}, checked: readonly string[] = []): ParamsSchema {
  const odd = Object.keys(options).find((key) => key !== 'default' && !checked.includes(key));
  if (odd !== undefined)
    throw new TypeError(`parameters know no option ${odd}: add it to schema-faults.ts first`);
  return { ...made, ...options };
}

const range = ['minimum', 'maximum'];

const builders = {
  Object(properties: Readonly<Record<string, ParamsSchema>>, options?: Options): ParamsSchema {
    const required = Object.keys(properties).filter((key) => !optional.has(properties[key]!));
    return schema({ type: 'object', ...(required.length > 0 && { required }), properties }, options, [
      'additionalProperties',
    ]);
  },
  /** Of any key; `key` only names the kind for the reader. */
  Record: (_key: ParamsSchema, value: ParamsSchema): ParamsSchema =>
    schema({ type: 'object', patternProperties: { '^.*$': value } }),
  Array: (items: ParamsSchema, options?: Options) => schema({ type: 'array', items }, options),
  String: (options?: Options) => schema({ type: 'string' }, options, ['minLength', 'maxLength', 'pattern']),
  Number: (options?: Options) => schema({ type: 'number' }, options, range),
  Integer: (options?: Options) => schema({ type: 'integer' }, options, range),
  Boolean: (options?: Options) => schema({ type: 'boolean' }, options),
  Literal: (value: string | number | boolean, options?: Options) =>
    schema({ type: typeof value as 'string', const: value }, options),
  Enum: (values: readonly unknown[], options?: Options) => schema({ enum: values }, options),
  Union: (anyOf: readonly ParamsSchema[], options?: Options) => schema({ anyOf }, options),
  Optional(inner: ParamsSchema): ParamsSchema {
    const copy = { ...inner };
    optional.add(copy);
    return copy;
  },
};

/**
 * Typebox's builders, as far as parameters need them: same names, same types, same JSON Schema. Every driver runs in a thread of
 * its own, and the library would take about 13 MB in each.
 */
export const Type = builders as unknown as Pick<typeof TypeboxType, keyof typeof builders>;
