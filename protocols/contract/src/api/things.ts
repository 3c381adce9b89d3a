import { type Static, Type } from 'typebox';
import { PointKind, Unit } from '../units.ts';
import { WriteLimits } from '../write-limits.ts';
import { Instant, Nullable, Uuid } from './common.ts';
import { Equipment } from './fleet.ts';

const Key = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' });
const PointKey = Type.String({ pattern: '^[a-z][a-z0-9_]{0,62}$' });
const words = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' });
const Names = Type.Object({ en: words, zh: words }, { additionalProperties: false });
const closed = { additionalProperties: false } as const;

/** Tags beside those of the template and the place: true is a marker, a text that begins with @ a reference. */
export const OwnTags = Type.Record(
  Type.String({ pattern: '^[a-z][a-zA-Z0-9_]{0,62}$' }),
  Type.Union([Type.Literal(true), Type.Number(), Type.String({ maxLength: 200 })]),
  { ...closed, maxProperties: 50 },
);
export type OwnTags = Static<typeof OwnTags>;

const BrickClass = Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,99}$' });

/** What a person says of a device. */
export const EquipmentBody = Type.Object(
  {
    /** Short name within the park, 'a-main'; what files and filters call it. */
    key: Key,
    name: Names,
    /** `<kind>/<vendor>-<model>`: it decides the kind, the protocol and the points. */
    template: Type.String({ maxLength: 120 }),
    gatewayId: Uuid,
    buildingId: Uuid,
    floorId: Nullable(Uuid),
    spaceId: Nullable(Uuid),
    /** Key of the gateway's connection that it hangs on. */
    bus: Key,
    /** Where on the bus, in the words of its protocol: {unit, transport}, {device}, {root}, {username}, {address}. */
    params: Type.Record(Type.String({ maxLength: 40 }), Type.Unknown(), { maxProperties: 10 }),
    /** The meter that this one hangs behind. */
    submeterOfId: Nullable(Uuid),
    /** Floors and spaces that it works for. */
    serves: Type.Array(Uuid, { maxItems: 200, uniqueItems: true }),
    tags: OwnTags,
    /** Brick class in place of its kind's. */
    brick: Nullable(BrickClass),
  },
  closed,
);
export type EquipmentBody = Static<typeof EquipmentBody>;

/** A secret that is kept: never its value. */
export const KeptSecret = Type.Object({ name: Type.String(), setAt: Instant });
export type KeptSecret = Static<typeof KeptSecret>;

/** Equipment as it is edited; `name` in the reader's language, `names` in both. */
export const EquipmentDetail = Type.Object({
  ...Equipment.properties,
  key: Type.String(),
  names: Type.Object({ en: Type.String(), zh: Type.String() }),
  bus: Type.String(),
  params: Type.Record(Type.String(), Type.Unknown()),
  spaceId: Nullable(Uuid),
  tags: Type.Record(Type.String(), Type.Unknown()),
  brick: Nullable(Type.String()),
  /** Set: it is no longer there, and its readings are kept. */
  retiredAt: Nullable(Instant),
  version: Type.Integer(),
  points: Type.Integer(),
  secrets: Type.Array(KeptSecret),
});
export type EquipmentDetail = Static<typeof EquipmentDetail>;

/** How a point is read that the template of its equipment does not have. */
export const PointSource = Type.Object(
  {
    /** The driver's own syntax: 'hr:0:u32', 'analog-input,3'. */
    address: Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' }),
    scale: Type.Number(),
    offset: Type.Optional(Type.Number()),
    /** In the point's unit; 0 for registers. */
    deadband: Type.Number({ minimum: 0 }),
  },
  closed,
);
export type PointSource = Static<typeof PointSource>;

/** What a person says of a point. Of a point of the template only name, pace, write limits, place, tags and class change. */
export const PointBody = Type.Object(
  {
    key: PointKey,
    name: Names,
    unit: Unit,
    kind: PointKind,
    /** Value of one count of a register; 1 for the others. */
    resolution: Type.Number({ exclusiveMinimum: 0 }),
    decimals: Type.Integer({ minimum: 0, maximum: 6 }),
    pollMs: Type.Integer({ minimum: 100, maximum: 86_400_000 }),
    heartbeatMs: Type.Integer({ minimum: 1_000, maximum: 86_400_000 }),
    states: Nullable(
      Type.Record(Type.String({ pattern: '^-?[0-9]{1,9}$' }), Names, { ...closed, maxProperties: 100 }),
    ),
    write: Nullable(WriteLimits),
    /** The room it measures; null: that of its equipment. */
    spaceId: Nullable(Uuid),
    tags: OwnTags,
    /** Brick class in place of the template's. */
    brick: Nullable(BrickClass),
    /** Null: the template says how it is read. */
    source: Nullable(PointSource),
  },
  closed,
);
export type PointBody = Static<typeof PointBody>;

/** What a point lacks to be of use to others. */
export const pointGaps = ['class', 'unit', 'equipment', 'space'] as const;
export type PointGap = (typeof pointGaps)[number];

/** A point as it is edited and found; its values are elsewhere. */
export const PointDetail = Type.Object({
  id: Uuid,
  /** Haystack id: `<equipment key>.<key>`. */
  ref: Type.String(),
  key: Type.String(),
  name: Type.String(),
  names: Type.Object({ en: Type.String(), zh: Type.String() }),
  equipmentId: Uuid,
  equipmentKey: Type.String(),
  equipmentName: Type.String(),
  unit: Type.String(),
  kind: PointKind,
  resolution: Type.Number(),
  decimals: Type.Integer(),
  protocol: Type.String(),
  pollMs: Type.Integer(),
  heartbeatMs: Type.Integer(),
  states: Nullable(Type.Record(Type.String(), Type.Object({ en: Type.String(), zh: Type.String() }))),
  write: Nullable(WriteLimits),
  spaceId: Nullable(Uuid),
  /** Its own tags. */
  tags: Type.Record(Type.String(), Type.Unknown()),
  /** Markers that it has in all, from the template, its place and its own. */
  markers: Type.Array(Type.String()),
  brick: Nullable(Type.String()),
  /** The class that holds: its own, else the template's. */
  brickClass: Nullable(Type.String()),
  source: Nullable(PointSource),
  retiredAt: Nullable(Instant),
  version: Type.Integer(),
  gaps: Type.Array(Type.Enum(pointGaps)),
});
export type PointDetail = Static<typeof PointDetail>;

/** `filter` is a Haystack filter: `point and zone and temp`, `equipRef==@a-main`. */
export const ModelQuery = Type.Object({
  filter: Type.Optional(Type.String({ maxLength: 500 })),
  /** Points only: what lacks a class, unit, equipment or space. */
  unmapped: Type.Optional(Type.Boolean()),
  /** With what was retired. */
  retired: Type.Optional(Type.Boolean()),
  equipment: Type.Optional(Uuid),
  after: Type.Optional(Type.String({ maxLength: 200 })),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});
export type ModelQuery = Static<typeof ModelQuery>;

/** Deleted, or kept as retired because readings or papers name it. */
export const Removed = Type.Object({
  removed: Type.Union([Type.Literal('deleted'), Type.Literal('retired')]),
});
export type Removed = Static<typeof Removed>;

/** A secret on its way in; it never comes out again. */
export const SecretBody = Type.Object({ value: Type.String({ minLength: 1, maxLength: 4_000 }) }, closed);
export const SecretParams = Type.Object({
  id: Uuid,
  name: Type.Union([Type.Literal('token'), Type.Literal('password')], { description: 'Which secret.' }),
});

/** A line, a network or a broker of a gateway. `params` are the driver's, without secrets. */
export const BusBody = Type.Object(
  {
    gatewayId: Uuid,
    key: Key,
    protocol: Type.String({ maxLength: 20 }),
    params: Type.Record(Type.String({ maxLength: 40 }), Type.Unknown(), { maxProperties: 30 }),
  },
  closed,
);
export type BusBody = Static<typeof BusBody>;
export const Bus = Type.Object({
  ...BusBody.properties,
  id: Uuid,
  version: Type.Integer(),
  secrets: Type.Array(KeptSecret),
});
export type Bus = Static<typeof Bus>;
export const BusQuery = Type.Object({ gateway: Type.Optional(Uuid) });

/** Place on a plan: 0,0 is its upper left corner, 1,1 its lower right. */
const Share = Type.Number({ minimum: 0, maximum: 1 });
const PlanPoint = Type.Tuple([Share, Share]);
export const PlanMarks = Type.Object(
  {
    spaces: Type.Array(
      Type.Object({ spaceId: Uuid, ring: Type.Array(PlanPoint, { minItems: 3, maxItems: 200 }) }, closed),
      { maxItems: 500 },
    ),
    devices: Type.Array(Type.Object({ equipmentId: Uuid, at: PlanPoint }, closed), { maxItems: 1_000 }),
  },
  closed,
);
export type PlanMarks = Static<typeof PlanMarks>;
export const FloorPlan = Type.Object({
  floorId: Uuid,
  /** Only their proportion matters. */
  width: Type.Integer(),
  height: Type.Integer(),
  /** Address of the picture; another one when it changes. */
  image: Type.String(),
  marks: PlanMarks,
  version: Type.Integer(),
  changedAt: Instant,
});
export type FloorPlan = Static<typeof FloorPlan>;
/** That a floor has a plan. A floor that is not listed has none. */
export const FloorPlanMade = Type.Object({ floorId: Uuid, version: Type.Integer(), changedAt: Instant });
export type FloorPlanMade = Static<typeof FloorPlanMade>;

/** A model that devices can be made from. */
export const TemplateSummary = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  vendor: Type.String(),
  model: Type.String(),
  name: Type.String(),
  protocol: Type.String(),
  /** How many points a device gets by it. */
  points: Type.Integer(),
});
export type TemplateSummary = Static<typeof TemplateSummary>;
