import { type Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import type { StoredPoint } from './store.ts';

/** What a merge did, and what it could not do. */
export interface Applied {
  /** The whole configuration, comments kept. */
  readonly yaml: string;
  readonly points: number;
  readonly devices: number;
  /** Points left out, each with the reason. */
  readonly left: readonly { readonly name: string; readonly why: string }[];
}

export interface ApplyOptions {
  /** Id of the connection the points belong to. */
  readonly connection: string;
  /** Device of points whose file names none: a Modbus unit id or a BACnet device instance. */
  readonly device?: number | undefined;
  createId(): string;
}

/** The merge cannot be done. The message says what is missing. */
export class ApplyError extends Error {
  override readonly name = 'ApplyError';
}

/** Name of a device's number in the parameters of its driver. */
const deviceParam = { bacnet: 'device', modbus: 'unit' } as const;

/**
 * Puts points that have an address into a connection of gateway.yaml, one device for each device number. Points that are
 * there already (by id) are replaced, so that a second merge changes nothing; what the device has from elsewhere, such as a
 * template, stays and is not read twice. Pure, but for the ids of new equipment.
 * @throws ApplyError
 */
export function applyPoints(yaml: string, points: readonly StoredPoint[], options: ApplyOptions): Applied {
  const document = parseDocument(yaml);
  if (document.errors[0])
    throw new ApplyError(`the configuration is not YAML: ${document.errors[0].message}`);
  const connections = document.get('connections');
  const connection = connectionOf(connections, options.connection);
  if (isSeq(connections)) connections.flow = false;
  const driver = String(connection.get('driver'));
  const left: { name: string; why: string }[] = [];
  const created = new Set<number>();
  const ours = new Set(points.map(({ id }) => id));
  let count = 0;
  for (const stored of points) {
    const why = hindrance(stored, driver, options);
    const number = stored.point.device ?? options.device;
    if (why !== undefined || number === undefined) {
      left.push({ name: stored.point.name, why: why ?? 'no device' });
      continue;
    }
    const { device, isNew } = deviceOf(document, connection, { driver, number, stored, options });
    if (isNew) created.add(number);
    if (hasAlready(device, stored.point.address, ours)) {
      left.push({ name: stored.point.name, why: 'the device has a point with its address already' });
      continue;
    }
    replacePoint(document, device, stored);
    count += 1;
  }
  return { yaml: document.toString({ lineWidth: 0 }), points: count, devices: created.size, left };
}

function connectionOf(connections: unknown, id: string): YAMLMap {
  const all = isSeq(connections) ? connections.items.filter((item) => isMap(item)) : [];
  const found = all.find((item) => String(item.get('id')) === id);
  if (found) return found;
  const names = all.map((item) => String(item.get('id'))).join(', ') || 'none';
  throw new ApplyError(
    `the configuration has no connection ${id}; there are: ${names}. Name one of them, or add it to gateway.yaml first`,
  );
}

function hindrance({ point }: StoredPoint, driver: string, { device }: ApplyOptions): string | undefined {
  if (point.address === null || point.protocol === null) return point.note ?? 'its file gives no address';
  if (point.protocol !== driver)
    return `it is a ${point.protocol} point, and the connection speaks ${driver}`;
  if (point.kind === 'text') return 'texts are not sampled';
  if (point.device === null && device === undefined) return 'its file names no device; say --device NUMBER';
  return undefined;
}

function deviceOf(
  document: Document,
  connection: YAMLMap,
  {
    driver,
    number,
    stored,
    options,
  }: { driver: string; number: number; stored: StoredPoint; options: ApplyOptions },
): { device: YAMLMap; isNew: boolean } {
  const devices = seqOf(document, connection, 'devices');
  const param = deviceParam[driver as keyof typeof deviceParam];
  const found = devices.items.find((item) => isMap(item) && Number(item.getIn(['params', param])) === number);
  if (isMap(found)) return { device: found, isNew: false };
  const name = (stored.point.equipment ?? `${driver} device ${number}`).slice(0, 200);
  const device = { equipmentId: options.createId(), name, params: { [param]: number }, points: [] };
  devices.add(document.createNode(device));
  return { device: devices.items.at(-1) as YAMLMap, isNew: true };
}

/** A list of a map, made where there is none. What grows stands in lines of its own, also where it began as []. */
function seqOf(document: Document, map: YAMLMap, name: string): YAMLSeq {
  if (!isSeq(map.get(name))) map.set(name, document.createNode([]));
  const seq = map.get(name) as YAMLSeq;
  map.flow = false;
  seq.flow = false;
  return seq;
}

/** Whether the device has a point with this address that is none of `ours`. */
function hasAlready(device: YAMLMap, address: string | null, ours: ReadonlySet<string>): boolean {
  const points = device.get('points');
  const all = isSeq(points) ? points.items.filter((item) => isMap(item)) : [];
  return all.some((item) => item.get('address') === address && !ours.has(String(item.get('id'))));
}

function replacePoint(document: Document, device: YAMLMap, stored: StoredPoint): void {
  const points = seqOf(document, device, 'points');
  const node = document.createNode(configOf(stored), { flow: true });
  const at = points.items.findIndex((item) => isMap(item) && item.get('id') === stored.id);
  if (at >= 0) points.items[at] = node;
  else points.add(node);
}

/** Counts of a register that came as a float: the last digits of a float are noise. */
const FLOAT_RESOLUTION = 0.001;

/** Characters of a key in gateway.yaml. */
const MAX_KEY = 100;

/** A point as gateway.yaml has it. */
export function configOf({ id, point }: StoredPoint): Record<string, unknown> {
  const isRegister = point.kind === 'register';
  const isFloat = /:f\d+/.test(point.address ?? '') || point.protocol === 'bacnet';
  const resolution = isFloat ? FLOAT_RESOLUTION : Math.abs(point.scale);
  return {
    id,
    key: point.name.slice(0, MAX_KEY),
    address: point.address,
    kind: point.kind,
    unit: point.unit ?? '1',
    // Register: counts = raw x scale, and a count is worth `resolution`.
    scale: isRegister ? point.scale / resolution : point.scale,
    ...(isRegister && { resolution }),
    ...(point.offset !== 0 && !isRegister && { offset: point.offset }),
    ...(point.pollMs !== null && { pollMs: point.pollMs }),
    ...(point.sentinels.length > 0 && { limits: { sentinels: point.sentinels } }),
    ...writeOf(point),
  };
}

/** A point may be written where its limits are known, and nowhere else. */
function writeOf({
  writable,
  min,
  max,
  states,
  kind,
  address,
}: StoredPoint['point']): Record<string, unknown> {
  if (!writable) return {};
  const numbers = states.map(([value]) => value);
  const isBinary = /^(binary-|co:)/.test(address ?? '');
  const low = min ?? (isBinary ? 0 : kind === 'state' && numbers.length > 0 ? Math.min(...numbers) : null);
  const high = max ?? (isBinary ? 1 : kind === 'state' && numbers.length > 0 ? Math.max(...numbers) : null);
  if (low === null || high === null) return {};
  return { write: { min: low, max: high, ...(kind === 'state' && { step: 1 }) } };
}
