import { PointKind, Unit, WriteLimits } from '@parkline/contract';
import { type Static, Type } from 'typebox';
import { LocalRules } from '../rules/schema.ts';

const strict = { additionalProperties: false };
const Uuid = Type.String({ format: 'uuid' });
const Name = Type.String({ minLength: 1, maxLength: 200 });

const PointConfig = Type.Object(
  {
    id: Uuid,
    /** What it is called in its template: 'active_power_total'. For people; nothing depends on it. */
    key: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    /** The driver's own syntax. */
    address: Type.String({ minLength: 1 }),
    /** Engineering value = raw x scale; for a register, counts = raw x scale. */
    scale: Type.Number({ default: 1 }),
    /** Added after scaling; gauges only. */
    offset: Type.Optional(Type.Number()),
    kind: PointKind,
    unit: Unit,
    /** Engineering value of one count; 1 for gauges and states. */
    resolution: Type.Number({ default: 1, exclusiveMinimum: 0 }),
    /** Smallest change worth sending, in `unit`; 0 sends every change. Registers have none. */
    deadband: Type.Number({ default: 0, minimum: 0 }),
    /** Longest silence, ms. */
    heartbeatMs: Type.Integer({ default: 300_000, minimum: 100 }),
    /** Time between reads, ms. */
    pollMs: Type.Integer({ default: 60_000, minimum: 100 }),
    /** May be written, and how far; absent: read only. */
    write: Type.Optional(WriteLimits),
    /** Where the device keeps its history, in the driver's own syntax. */
    history: Type.Optional(Type.String({ minLength: 1 })),
    /** Raw values that are no measurement: the sentinels themselves, and all outside min..max. */
    limits: Type.Optional(
      Type.Object(
        {
          sentinels: Type.Optional(Type.Array(Type.Number())),
          min: Type.Optional(Type.Number()),
          max: Type.Optional(Type.Number()),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type PointConfig = Static<typeof PointConfig>;

const DeviceConfig = Type.Object(
  {
    equipmentId: Uuid,
    name: Name,
    /** Id of the template that it was described with. For people and for the cloud; nothing here depends on it. */
    template: Type.Optional(Type.String({ maxLength: 200 })),
    /** The driver's; checked by it. */
    params: Type.Unknown({ default: {} }),
    points: Type.Array(PointConfig),
  },
  strict,
);
export type DeviceConfig = Static<typeof DeviceConfig>;

const ConnectionConfig = Type.Object(
  {
    id: Name,
    /** Protocol name of a driver package. */
    driver: Name,
    /** The driver's; checked by it. */
    params: Type.Unknown({ default: {} }),
    devices: Type.Array(DeviceConfig),
  },
  strict,
);
export type ConnectionConfig = Static<typeof ConnectionConfig>;

/** gateway.yaml: everything a gateway must know to work for a month without its cloud. */
export const GatewayConfig = Type.Object(
  {
    version: Type.Literal(1),
    gatewayId: Uuid,
    name: Name,
    /** Key of the site that it stands on: a claim for another one is refused. */
    site: Type.Optional(Name),
    /** IANA zone of the site; storage stays UTC. */
    timezone: Type.String({ default: 'UTC' }),
    nats: Type.Object(
      {
        url: Type.String({ pattern: '^(nats|tls)://' }),
        /** PEM files for a tls:// address, from the gateway's home; absent: those that a claim writes to keys/. */
        tls: Type.Optional(
          Type.Object(
            {
              ca: Type.Optional(Type.String({ minLength: 1 })),
              cert: Type.Optional(Type.String({ minLength: 1 })),
              key: Type.Optional(Type.String({ minLength: 1 })),
            },
            strict,
          ),
        ),
      },
      strict,
    ),
    report: Type.Object(
      {
        /** true: every read is reported, for tests that compare sets. */
        every: Type.Boolean({ default: false }),
      },
      { ...strict, default: {} },
    ),
    outbox: Type.Object(
      {
        /** Hours a message stays on disk after its receipt, so that a restored database can ask again. */
        keepHours: Type.Number({ default: 24, minimum: 0 }),
        /** Used size of the outbox at which nothing more is taken, MiB. */
        maxMegabytes: Type.Number({ default: 512, minimum: 1 }),
        /** Above 80 % of that, one reading of each gauge in this many seconds; above 90 %, registers alone. */
        thinToSeconds: Type.Number({ default: 300, minimum: 1 }),
      },
      { ...strict, default: {} },
    ),
    connections: Type.Array(ConnectionConfig),
    /** What the gateway watches and does by itself. */
    rules: LocalRules,
  },
  strict,
);
export type GatewayConfig = Static<typeof GatewayConfig>;

/** All points in the order of the file: their order in the point table. */
export const pointsOf = ({ connections }: Pick<GatewayConfig, 'connections'>): PointConfig[] =>
  connections.flatMap(({ devices }) => devices.flatMap(({ points }) => points));
