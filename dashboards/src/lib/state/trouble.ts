import type { Equipment, Gateway, Point } from '@parkline/contract';
import type { Reading } from './reading.ts';

/**
 * One thing that is wrong now, by its root cause: a dead gateway hides its devices, a building where nothing answers
 * its devices, a silent device its points.
 */
export interface Trouble {
  readonly key: string;
  readonly kind:
    | 'gatewayOffline'
    | 'gatewayNever'
    | 'buildingSilent'
    | 'buildingUnknown'
    | 'deviceSilent'
    | 'deviceUnknown'
    | 'pointBad'
    | 'pointStale';
  readonly severity: 'critical' | 'warning';
  readonly name: string;
  /** Where it is, from the inside out: device, building. */
  readonly where: readonly string[];
  /** How many devices it takes along, or how many points of a device it is. */
  readonly count: number;
  readonly buildingId: string;
  readonly gatewayId: string;
  /** Null for what is no single device. */
  readonly equipmentId: string | null;
  /** Unix ms since when, if it is known. */
  readonly since: number | null;
}

export interface Watched {
  readonly buildings: readonly { readonly id: string; readonly name: string }[];
  readonly gateways: readonly Gateway[];
  readonly devices: readonly Equipment[];
  readonly points: readonly Point[];
  /** What the point reads now. */
  reading(point: Point): Reading;
}

const instant = (text: string | null): number | null => (text ? Date.parse(text) : null);

function ofGateway(
  { id, name, buildingId, state, lastSeenAt, devices }: Gateway,
  building: string,
): Trouble[] {
  if (state === 'online') return [];
  return [
    {
      key: id,
      kind: state === 'never' ? 'gatewayNever' : 'gatewayOffline',
      severity: 'critical',
      name,
      where: [building],
      count: devices.total,
      buildingId,
      gatewayId: id,
      equipmentId: null,
      since: instant(lastSeenAt),
    },
  ];
}

const isMute = ({ state }: Equipment): boolean => state === 'silent' || state === 'unknown';

function ofDevice(device: Equipment, building: string): Trouble {
  const { id, name, buildingId, gatewayId, state, lastOkAt } = device;
  return {
    key: id,
    kind: state === 'silent' ? 'deviceSilent' : 'deviceUnknown',
    severity: 'warning',
    name,
    where: [building],
    count: 1,
    buildingId,
    gatewayId,
    equipmentId: id,
    since: instant(lastOkAt),
  };
}

/** The mute devices of one building: one row when none of several answers, else a row for each. */
function ofBuilding(devices: readonly Equipment[], building: string): Trouble[] {
  const mute = devices.filter(isMute).map((device) => ofDevice(device, building));
  const [first] = mute;
  if (!first || mute.length < 2 || mute.length < devices.length) return mute;
  // Unknown alone is no alarm: a gateway that has just started has not spoken of its devices yet.
  const isSilent = mute.some(({ kind }) => kind === 'deviceSilent');
  // Since the last one stopped.
  const ends = mute.flatMap(({ since }) => since ?? []);
  return [
    {
      ...first,
      key: first.buildingId,
      kind: isSilent ? 'buildingSilent' : 'buildingUnknown',
      severity: isSilent ? 'critical' : 'warning',
      name: building,
      where: [],
      count: mute.length,
      equipmentId: null,
      since: ends.length > 0 ? Math.max(...ends) : null,
    },
  ];
}

/** The points of one device that cannot be trusted: a row for each kind of trouble, named when it is a single point. */
function ofPoints(points: readonly Point[], device: Equipment, building: string, now: Watched['reading']) {
  const readings = points.map((point) => ({ point, ...now(point) }));
  return (['bad', 'stale'] as const).flatMap((wanted): Trouble[] => {
    const found = readings.filter(({ freshness }) => freshness === wanted);
    const [first] = found;
    if (!first) return [];
    const isOne = found.length === 1;
    return [
      {
        key: `${device.id}.${wanted}`,
        kind: wanted === 'bad' ? 'pointBad' : 'pointStale',
        severity: 'warning',
        name: isOne ? first.point.name : device.name,
        where: isOne ? [device.name, building] : [building],
        count: found.length,
        buildingId: device.buildingId,
        gatewayId: device.gatewayId,
        equipmentId: device.id,
        // The time of a failed reading is that of the last try, not of the first.
        since: wanted === 'bad' ? null : Math.min(...found.map(({ at }) => at ?? Infinity)),
      },
    ];
  });
}

/** Everything that is wrong now, the gravest and longest first. */
export function findTrouble({ buildings, gateways, devices, points, reading }: Watched): Trouble[] {
  const names = new Map(buildings.map(({ id, name }) => [id, name]));
  const nameOf = (buildingId: string) => names.get(buildingId) ?? '';
  const dead = gateways.flatMap((gateway) => ofGateway(gateway, nameOf(gateway.buildingId)));
  const deadGateways = new Set(dead.map(({ key }) => key));
  const reachable = devices.filter(({ gatewayId }) => !deadGateways.has(gatewayId));

  const byBuilding = Map.groupBy(reachable, ({ buildingId }) => buildingId);
  const mute = [...byBuilding].flatMap(([id, inside]) => ofBuilding(inside, nameOf(id)));

  const pointsOf = Map.groupBy(points, ({ equipmentId }) => equipmentId);
  const wrong = reachable
    .filter(({ state }) => state === 'online')
    .flatMap((device) => ofPoints(pointsOf.get(device.id) ?? [], device, nameOf(device.buildingId), reading));

  const rank = ({ severity, since }: Trouble) =>
    [severity === 'critical' ? 0 : 1, since ?? Infinity] as const;
  return [...dead, ...mute, ...wrong].sort((a, b) => rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1]);
}
