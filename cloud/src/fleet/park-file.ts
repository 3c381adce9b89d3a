import { schemaErrors } from '@parkline/contract';
import { LocalName } from '@parkline/templates';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { parse } from 'yaml';

const Key = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' });
const named = { key: Key, name: LocalName };

const Meter = Type.Object({
  ...named,
  kind: Type.String({ minLength: 1 }),
  template: Type.String({ minLength: 1 }),
  bus: Key,
  unit: Type.Integer({ minimum: 0, maximum: 255 }),
  floor: Type.Optional(Key),
  submeterOf: Type.Optional(Type.Union([Key, Type.Null()])),
});

const Building = Type.Object({
  ...named,
  gateway: Type.Object(named),
  floors: Type.Array(Type.Object({ ...named, level: Type.Integer({ minimum: -20, maximum: 200 }) })),
  buses: Type.Array(
    Type.Object({
      key: Key,
      transport: Type.Union([Type.Literal('tcp'), Type.Literal('rtu-over-tcp')]),
    }),
  ),
  meters: Type.Array(Meter),
});

/** A whole park in one file. The simulator reads the same one, so keys that only it knows (load, start) are let through. */
export const ParkFile = Type.Object({
  key: Key,
  site: Type.Object({
    ...named,
    timezone: Type.String({ minLength: 1 }),
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
  }),
  buildings: Type.Array(Building, { minItems: 1 }),
  /** Polls every point at this pace instead of its template's: for tests and short demonstrations. */
  poll: Type.Optional(
    Type.Object({
      everyMs: Type.Integer({ minimum: 100 }),
      heartbeatMs: Type.Integer({ minimum: 100 }),
    }),
  ),
});
export type ParkFile = Static<typeof ParkFile>;

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
  const faults = [...twice(value), ...dangling(value), ...zoneFault(value)];
  if (faults.length > 0) throw new ParkFileError(faults);
  return value;
}

function twice(park: ParkFile): string[] {
  const groups: [string, string[]][] = [
    ['building', park.buildings.map(({ key }) => key)],
    ['gateway', park.buildings.map(({ gateway }) => gateway.key)],
    ['floor', park.buildings.flatMap(({ floors }) => floors.map(({ key }) => key))],
    ['bus', park.buildings.flatMap(({ buses }) => buses.map(({ key }) => key))],
    ['meter', park.buildings.flatMap(({ meters }) => meters.map(({ key }) => key))],
  ];
  return groups.flatMap(([what, keys]) =>
    keys.filter((key, i) => keys.indexOf(key) !== i).map((key) => `${what} ${key} is there twice`),
  );
}

function dangling(park: ParkFile): string[] {
  const meters = new Set(park.buildings.flatMap((building) => building.meters.map(({ key }) => key)));
  return park.buildings.flatMap((building) => {
    const floors = new Set(building.floors.map(({ key }) => key));
    const buses = new Set(building.buses.map(({ key }) => key));
    return building.meters.flatMap(({ key, floor, bus, submeterOf }) => [
      ...(floor && !floors.has(floor)
        ? [`meter ${key}: building ${building.key} has no floor ${floor}`]
        : []),
      ...(buses.has(bus) ? [] : [`meter ${key}: building ${building.key} has no bus ${bus}`]),
      ...(submeterOf && !meters.has(submeterOf) ? [`meter ${key}: there is no meter ${submeterOf}`] : []),
    ]);
  });
}

function zoneFault({ site }: ParkFile): string[] {
  try {
    new Intl.DateTimeFormat('en', { timeZone: site.timezone });
    return [];
  } catch {
    return [`site: ${site.timezone} is not an IANA time zone`]; // The constructor throws for exactly this.
  }
}
