import type { Equipment, Gateway, Point } from '@parkline/contract';
import type { Reading } from './reading.ts';

/** One thing that is wrong now. The root cause only: a dead gateway hides its devices, a silent device its points. */
export interface Trouble {
  readonly key: string;
  readonly kind:
    'gatewayOffline' | 'gatewayNever' | 'deviceSilent' | 'deviceUnknown' | 'pointBad' | 'pointStale';
  readonly severity: 'critical' | 'warning';
  readonly name: string;
  /** The device or gateway that the point or device belongs to. */
  readonly under: string;
  readonly buildingId: string;
  readonly gatewayId: string;
  readonly equipmentId: string | null;
  /** Unix ms since when, if it is known. */
  readonly since: number | null;
}

const instant = (text: string | null): number | null => (text ? Date.parse(text) : null);

function ofGateway({ id, name, buildingId, state, lastSeenAt }: Gateway): Trouble[] {
  if (state === 'online') return [];
  const kind = state === 'never' ? 'gatewayNever' : 'gatewayOffline';
  return [
    {
      key: id,
      kind,
      severity: 'critical',
      name,
      under: '',
      buildingId,
      gatewayId: id,
      equipmentId: null,
      since: instant(lastSeenAt),
    },
  ];
}

function ofDevice({ id, name, buildingId, gatewayId, state, lastOkAt }: Equipment, under: string): Trouble[] {
  if (state === 'online' || state === 'starting') return [];
  const kind = state === 'silent' ? 'deviceSilent' : 'deviceUnknown';
  return [
    {
      key: id,
      kind,
      severity: 'warning',
      name,
      under,
      buildingId,
      gatewayId,
      equipmentId: id,
      since: instant(lastOkAt),
    },
  ];
}

export interface Watched {
  readonly gateways: readonly Gateway[];
  readonly devices: readonly Equipment[];
  readonly points: readonly Point[];
  /** What the point reads now. */
  reading(point: Point): Reading;
}

/** Everything that is wrong now, the gravest and longest first. */
export function findTrouble({ gateways, devices, points, reading }: Watched): Trouble[] {
  const gatewayNames = new Map(gateways.map(({ id, name }) => [id, name]));
  const found = gateways.flatMap(ofGateway);
  const deadGateways = new Set(found.map(({ key }) => key));

  const reachable = devices.filter(({ gatewayId }) => !deadGateways.has(gatewayId));
  for (const device of reachable) found.push(...ofDevice(device, gatewayNames.get(device.gatewayId) ?? ''));

  const answering = new Map(
    reachable.filter(({ state }) => state === 'online').map((device) => [device.id, device]),
  );
  for (const point of points) {
    const device = answering.get(point.equipmentId);
    const { freshness, at } = reading(point);
    if (!device || (freshness !== 'bad' && freshness !== 'stale')) continue;
    found.push({
      key: point.id,
      kind: freshness === 'bad' ? 'pointBad' : 'pointStale',
      severity: 'warning',
      name: point.name,
      under: device.name,
      buildingId: device.buildingId,
      gatewayId: device.gatewayId,
      equipmentId: device.id,
      // The time of a failed reading is that of the last try, not of the first.
      since: freshness === 'bad' ? null : at,
    });
  }
  const rank = ({ severity, since }: Trouble) =>
    [severity === 'critical' ? 0 : 1, since ?? Infinity] as const;
  return found.sort((a, b) => rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1]);
}
