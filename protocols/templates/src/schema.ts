import { PointKind, Unit, WriteLimits } from '@parkline/contract';
import { type Static, Type } from 'typebox';

/** A name in both languages of the product. */
export const LocalName = Type.Object(
  {
    en: Type.String({ minLength: 1 }),
    zh: Type.String({ minLength: 1 }),
  },
  { additionalProperties: false },
);
export type LocalName = Static<typeof LocalName>;

/** Raw values that are no measurement: the sentinels themselves, and all outside min..max. */
export const PointLimits = Type.Object(
  {
    sentinels: Type.Optional(Type.Array(Type.Number())),
    min: Type.Optional(Type.Number()),
    max: Type.Optional(Type.Number()),
  },
  { additionalProperties: false },
);

/** One quantity a device offers, with how to read it and how often. Keys mean the same in every template. */
export const TemplatePoint = Type.Object(
  {
    key: Type.String({ pattern: '^[a-z][a-z0-9_]*$' }),
    name: LocalName,
    unit: Unit,
    kind: PointKind,
    /** The driver's own syntax; 0-based on the wire. */
    address: Type.String({ minLength: 1 }),
    /** Gauge: value in `unit` = raw x scale. Register: counts of `resolution` = raw x scale. */
    scale: Type.Number(),
    /** Added after scaling; gauges only. */
    offset: Type.Optional(Type.Number()),
    /** Value of one count of a register, in `unit`; 1 for gauges. */
    resolution: Type.Number({ exclusiveMinimum: 0 }),
    /** Decimals worth showing. */
    decimals: Type.Integer({ minimum: 0, maximum: 6 }),
    /** In `unit`; 0 for registers, which have none. */
    deadband: Type.Number({ minimum: 0 }),
    pollMs: Type.Integer({ minimum: 100 }),
    heartbeatMs: Type.Integer({ minimum: 1_000 }),
    /** The register that bills; also read at each UTC quarter hour. */
    billing: Type.Optional(Type.Boolean()),
    /** What the values of a state mean, by value: `'1': { en: running, zh: 运行 }`. */
    states: Type.Optional(Type.Record(Type.String({ pattern: '^-?[0-9]+$' }), LocalName)),
    /** May be written, and how far; absent: read only. */
    write: Type.Optional(WriteLimits),
    /** Where the device keeps its history, in the driver's own syntax. */
    history: Type.Optional(Type.String({ minLength: 1 })),
    /** What the device may say in place of a measurement, raw, before scaling. */
    limits: Type.Optional(PointLimits),
    /** Class of the Brick ontology. */
    brick: Type.String({ minLength: 1 }),
    tags: Type.Array(Type.String()),
  },
  { additionalProperties: false },
);
export type TemplatePoint = Static<typeof TemplatePoint>;

/** What every device of one model has in common. A template is data: adding a model needs no code. */
export const Template = Type.Object(
  {
    /** `<kind>/<vendor>-<model>`, which is also its path. */
    id: Type.String({ pattern: '^[a-z0-9-]+/[a-z0-9-]+$' }),
    kind: Type.String(),
    vendor: Type.String({ minLength: 1 }),
    model: Type.String({ minLength: 1 }),
    name: LocalName,
    /** The maker's manual or table the addresses come from, and what is uncertain about it. */
    source: Type.String({ minLength: 1 }),
    protocol: Type.String({ minLength: 1 }),
    /** Defaults for the driver's device parameters. */
    params: Type.Record(Type.String(), Type.Unknown()),
    points: Type.Array(TemplatePoint, { minItems: 1 }),
  },
  { additionalProperties: false },
);
export type Template = Static<typeof Template>;
