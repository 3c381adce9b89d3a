import { schemaErrors } from '@parkline/contract';
import { addressSchemas, addressWords } from './addresses.ts';
import { devicesOf } from './park-device.ts';
import type { ParkBuilding, ParkFile } from './park-file.ts';

/** What a park file's schema cannot say: keys that come twice, that name nothing, and addresses and leases that clash. Pure. */
export function parkFaults(park: ParkFile): string[] {
  return [
    ...twice(park),
    ...park.buildings.flatMap((building) => [...busFaults(building), ...deviceFaults(building)]),
    ...dangling(park),
    ...zoneFault(park),
    ...leaseFaults(park),
  ];
}

const repeated = (keys: readonly string[]): string[] => [
  ...new Set(keys.filter((key, i) => keys.indexOf(key) !== i)),
];
const spacesOf = (park: ParkFile) =>
  park.buildings.flatMap(({ floors }) => floors.flatMap(({ spaces = [] }) => spaces));

function twice(park: ParkFile): string[] {
  const keysOf = (list: readonly { readonly key: string }[] = []) => list.map(({ key }) => key);
  const groups: [string, string[]][] = [
    ['building', keysOf(park.buildings)],
    ['gateway', park.buildings.map(({ gateway }) => gateway.key)],
    ['floor', park.buildings.flatMap(({ floors }) => keysOf(floors))],
    ['space', keysOf(spacesOf(park))],
    ['bus', park.buildings.flatMap(({ buses }) => keysOf(buses))],
    // One name space: a meter is a device like the others.
    ['device', park.buildings.flatMap(({ meters, equipment }) => [...keysOf(meters), ...keysOf(equipment)])],
    ['tenant', keysOf(park.tenants)],
    ['lease', keysOf(park.leases)],
  ];
  return groups.flatMap(([what, keys]) => repeated(keys).map((key) => `${what} ${key} is there twice`));
}

function busFaults({ key: building, buses }: ParkBuilding): string[] {
  return buses.flatMap(({ key, protocol = 'modbus', transport }) => {
    if (protocol === 'modbus' && !transport)
      return [`bus ${key} of building ${building}: transport must be tcp or rtu-over-tcp`];
    if (protocol !== 'modbus' && transport)
      return [`bus ${key} of building ${building}: ${protocol} has no transport`];
    return [];
  });
}

/** Protocols whose devices may bill: registers that a meter keeps itself. */
const meterProtocols: readonly string[] = ['modbus', 'dlt645', 'cjt188'];

function deviceFaults(building: ParkBuilding): string[] {
  const floors = new Set(building.floors.map(({ key }) => key));
  const devices = devicesOf(building);
  const places = devices.map(({ protocol, bus, params }) => addressWords(protocol ?? '', bus, params));
  return devices.flatMap(({ what, key, floor, bus, protocol, params }, i) => {
    const faults: string[] = [];
    if (floor && !floors.has(floor)) faults.push(`building ${building.key} has no floor ${floor}`);
    if (!protocol) faults.push(`building ${building.key} has no bus ${bus}`);
    else {
      for (const { instancePath, message } of schemaErrors(addressSchemas[protocol], params))
        faults.push(`address${instancePath.replaceAll('/', '.')} ${message}`);
      const first = places.indexOf(places[i] ?? '');
      if (first < i) faults.push(`${places[i]} is ${devices[first]?.key} already`);
      if (what === 'meter' && !meterProtocols.includes(protocol))
        faults.push(`bus ${bus} is no Modbus bus or another of meters`);
    }
    return faults.map((fault) => `${what} ${key}: ${fault}`);
  });
}

/** Keys that may name something of another building. */
function dangling(park: ParkFile): string[] {
  const meters = new Set(park.buildings.flatMap((building) => building.meters.map(({ key }) => key)));
  const spaces = new Set(spacesOf(park).map(({ key }) => key));
  const floors = new Set(park.buildings.flatMap((building) => building.floors.map(({ key }) => key)));
  return park.buildings.flatMap((building) => [
    ...building.meters.flatMap(({ key, submeterOf, space }) => [
      ...(submeterOf && !meters.has(submeterOf) ? [`meter ${key}: there is no meter ${submeterOf}`] : []),
      ...(space && !spaces.has(space) ? [`meter ${key}: there is no space ${space}`] : []),
    ]),
    ...(building.equipment ?? []).flatMap(({ key, serves = [] }) =>
      serves
        .filter((place) => !floors.has(place) && !spaces.has(place))
        .map((place) => `equipment ${key}: there is no floor or space ${place} to serve`),
    ),
  ]);
}

function zoneFault({ site }: ParkFile): string[] {
  try {
    new Intl.DateTimeFormat('en', { timeZone: site.timezone });
    return [];
  } catch {
    return [`site: ${site.timezone} is not an IANA time zone`]; // The constructor throws for exactly this.
  }
}

function leaseFaults(park: ParkFile): string[] {
  const tenants = new Set((park.tenants ?? []).map(({ key }) => key));
  const spaces = new Set(spacesOf(park).map(({ key }) => key));
  const { leases = [] } = park;
  return leases.flatMap(({ key, tenant, from, to, spaces: leased }, i) => [
    ...(tenants.has(tenant) ? [] : [`lease ${key}: there is no tenant ${tenant}`]),
    ...(to !== null && to <= from ? [`lease ${key}: ends on ${to}, not after ${from}`] : []),
    ...leased
      .filter((space) => !spaces.has(space))
      .map((space) => `lease ${key}: there is no space ${space}`),
    ...repeated(leased).map((space) => `lease ${key}: space ${space} is there twice`),
    ...leases
      .slice(0, i)
      .filter((other) => overlap(other, { from, to }))
      .flatMap((other) =>
        leased.filter((space) => other.spaces.includes(space)).map((space) => ({ other, space })),
      )
      .map(
        ({ other, space }) => `lease ${key}: space ${space} is let by ${other.key} on some of the same days`,
      ),
  ]);
}

/** Days as text compare like days. */
const overlap = (a: Days, b: Days): boolean =>
  (a.to === null || b.from < a.to) && (b.to === null || a.from < b.to);

interface Days {
  readonly from: string;
  readonly to: string | null;
}
