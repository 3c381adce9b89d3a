import { schemaErrors, SpaceKind } from '@parkline/contract';
import { LocalName } from '@parkline/templates';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { parkFaults } from './park-faults.ts';

const Key = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' });
const LocalDate = Type.String({ format: 'date' });
const named = { key: Key, name: LocalName };

const Floor = Type.Object({
  ...named,
  /** 0 = ground floor. */
  level: Type.Integer({ minimum: -20, maximum: 200 }),
  spaces: Type.Optional(
    Type.Array(
      Type.Object({
        ...named,
        kind: SpaceKind,
        areaM2: Type.Number({ exclusiveMinimum: 0, maximum: 10_000_000 }),
      }),
    ),
  ),
});

export const busProtocols = ['modbus', 'bacnet', 'opcua', 'mqtt', 'dlt645', 'cjt188'] as const;
export type BusProtocol = (typeof busProtocols)[number];

const Bus = Type.Object({
  key: Key,
  protocol: Type.Optional(Type.Enum(busProtocols, { default: 'modbus' })),
  /** Of Modbus alone. */
  transport: Type.Optional(Type.Union([Type.Literal('tcp'), Type.Literal('rtu-over-tcp')])),
});

const Meter = Type.Object({
  ...named,
  kind: Type.String({ minLength: 1 }),
  template: Type.String({ minLength: 1 }),
  bus: Key,
  /** On a Modbus bus. */
  unit: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
  /** On any other, in the words of its protocol: {address} or {type, address}. */
  address: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  floor: Type.Optional(Key),
  submeterOf: Type.Optional(Type.Union([Key, Type.Null()])),
  /** Whose use it measures. */
  space: Type.Optional(Key),
});

const Equipment = Type.Object({
  ...named,
  kind: Type.String({ minLength: 1 }),
  template: Type.String({ minLength: 1 }),
  bus: Key,
  /** Where on the bus, in the words of its protocol: {device}, {root} or {username}. */
  address: Type.Record(Type.String(), Type.Unknown()),
  floor: Type.Optional(Key),
  /** Floors and spaces that it works for. */
  serves: Type.Optional(Type.Array(Key)),
});

const Building = Type.Object({
  ...named,
  gateway: Type.Object(named),
  floors: Type.Array(Floor),
  buses: Type.Array(Bus),
  meters: Type.Array(Meter),
  equipment: Type.Optional(Type.Array(Equipment)),
});

const Lease = Type.Object({
  key: Key,
  tenant: Key,
  spaces: Type.Array(Key, { minItems: 1 }),
  from: LocalDate,
  /** The first day that is no longer let; null while no end is agreed. */
  to: Type.Union([LocalDate, Type.Null()]),
  headcount: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 1_000_000 }), Type.Null()])),
});

/** A whole park in one file. The simulator reads the same one, so keys that only it knows (load, model) are let through. */
export const ParkFile = Type.Object({
  key: Key,
  site: Type.Object({
    ...named,
    timezone: Type.String({ minLength: 1 }),
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
  }),
  buildings: Type.Array(Building, { minItems: 1 }),
  tenants: Type.Optional(Type.Array(Type.Object(named))),
  leases: Type.Optional(Type.Array(Lease)),
  /** Polls every point at this pace instead of its template's: for tests and short demonstrations. */
  poll: Type.Optional(
    Type.Object({
      everyMs: Type.Integer({ minimum: 100 }),
      heartbeatMs: Type.Integer({ minimum: 100 }),
    }),
  ),
});
export type ParkFile = Static<typeof ParkFile>;
export type ParkBuilding = ParkFile['buildings'][number];

/** The file cannot be used; `faults` has one line per reason. */
export class ParkFileError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.name = 'ParkFileError';
    this.faults = faults;
  }
}

/** Reads a park file's text. @throws ParkFileError with every fault, each naming its place in the file. */
export function parseParkFile(text: string): ParkFile {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new ParkFileError([`not YAML: ${cause instanceof Error ? cause.message : String(cause)}`]);
  }
  if (!Value.Check(ParkFile, value)) {
    throw new ParkFileError(
      schemaErrors(ParkFile, value).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`),
    );
  }
  const faults = parkFaults(value);
  if (faults.length > 0) throw new ParkFileError(faults);
  return value;
}
