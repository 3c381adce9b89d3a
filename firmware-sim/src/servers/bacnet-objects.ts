import { type BacnetRow, type BacnetTable, idOf, objectTypes } from '../tables/bacnet-table.ts';
import { shortestFloat32 } from '../words.ts';
import * as encode from './bacnet-codec.ts';
import { createHolds } from './bacnet-holds.ts';
import { createTrendObject, type Trend } from './bacnet-trend.ts';
import type { ServedDevice } from './bus-server.ts';

/** Property identifiers of ASHRAE 135 clause 21. */
export const properties = {
  ackRequired: 1,
  all: 8,
  apduTimeout: 11,
  softwareVersion: 12,
  covIncrement: 22,
  daylightSavings: 24,
  description: 28,
  addressBinding: 30,
  notificationClass: 17,
  eventState: 36,
  firmware: 44,
  localDate: 56,
  localTime: 57,
  maxApdu: 62,
  model: 70,
  retries: 73,
  objectIdentifier: 75,
  objectList: 76,
  objectName: 77,
  objectType: 79,
  optional: 80,
  outOfService: 81,
  polarity: 84,
  presentValue: 85,
  priority: 86,
  priorityArray: 87,
  objectTypesSupported: 96,
  servicesSupported: 97,
  protocolVersion: 98,
  recipientList: 102,
  reliability: 103,
  relinquishDefault: 104,
  required: 105,
  segmentation: 107,
  statusFlags: 111,
  systemStatus: 112,
  units: 117,
  utcOffset: 119,
  vendorIdentifier: 120,
  vendorName: 121,
  bufferSize: 126,
  logBuffer: 131,
  logEnable: 133,
  logInterval: 134,
  protocolRevision: 139,
  recordCount: 141,
  stopWhenFull: 144,
  databaseRevision: 155,
} as const;

export const DEVICE = 8;
export const NOTIFICATION_CLASS = 15;
export const TREND_LOG = 20;
/** Array_Index of "the whole array". */
export const WHOLE = undefined;
/** Reliability UNRELIABLE_OTHER, NO_FAULT_DETECTED. */
const unreliable = 7;
const reliable = 0;

/** What an object shows at one instant. */
export interface Shown {
  /** As shown, null when there is none. */
  readonly value: number | null;
  readonly presentValue: readonly number[];
  readonly statusFlags: readonly number[];
  /** The same, in alarm first. */
  readonly statusBits: readonly boolean[];
}

export interface SimObject {
  readonly type: number;
  readonly instance: number;
  /** Absent for the device object. */
  readonly row?: BacnetRow;
  readonly propertyIds: readonly number[];
  /** Octets of a property's value; of an array its elements, each on its own. Undefined for a property it has not. */
  property(id: number, t: number): readonly (readonly number[])[] | undefined;
  show?(t: number): Shown;
  /** Takes a value at a priority, null to give it back; only where it may be written. */
  put?(priority: number, value: number | null, t: number): void;
  /** Of a trend log. */
  readonly trend?: Trend;
}

export interface ObjectsDeps {
  /** Event state of the objects in alarm, by object id. */
  readonly states: ReadonlyMap<string, number>;
  /** Octets of the recipient list. */
  readonly recipients: () => readonly number[];
}

/** The objects of a controller: its device object first, then those of its table. */
export function createObjects(
  device: ServedDevice<BacnetTable>,
  instance: number,
  { states, recipients }: ObjectsDeps,
): readonly SimObject[] {
  const { table, key } = device;
  const points = table.rows.map((row) => createPointObject(row, device, states));
  const aheadMs = table.utcOffsetMin * 60_000;
  const trends = table.trends.map((trend) =>
    createTrendObject(
      { ...trend, aheadMs, source: points.find(({ row }) => row && idOf(row) === trend.of)! },
      key,
    ),
  );
  const objects = [
    ...points,
    ...trends,
    ...(table.alarms.length > 0 ? [createClassObject(key, recipients)] : []),
  ];
  return [createDeviceObject(device, instance, objects), ...objects];
}

function createPointObject(
  row: BacnetRow,
  { key, quantities }: ServedDevice<BacnetTable>,
  states: ReadonlyMap<string, number>,
): SimObject {
  const quantity = quantities.get(row.quantity);
  if (!quantity) throw new Error(`${key}: its model has no quantity ${row.quantity}`);
  const { type, instance, name, description, analog, access } = row;
  const holds = createHolds(access === 'commandable');
  const id = idOf(row);
  const shownOnce = rememberingLast(analog);
  const show = (t: number): Shown => shownOnce(holds.at(t) ?? quantity(t), states.has(id));
  const isBinaryField = type === objectTypes.BI || type === objectTypes.BO;
  const slot = (value: number | null): readonly number[] =>
    value === null ? encode.nothing : analog ? encode.real(value) : encode.enumerated(value);
  const one = (octets: readonly number[]) => [octets];
  const values = new Map<number, (t: number) => readonly (readonly number[])[]>([
    [properties.objectIdentifier, () => one(encode.objectId(type, instance))],
    [properties.objectName, () => one(encode.characters(`${key}.${name}`))],
    [properties.objectType, () => one(encode.enumerated(type))],
    [properties.presentValue, (t) => one(show(t).presentValue)],
    [properties.description, () => one(encode.characters(description))],
    [properties.statusFlags, (t) => one(show(t).statusFlags)],
    [properties.eventState, () => one(encode.enumerated(states.get(id) ?? 0))],
    [properties.reliability, (t) => one(encode.enumerated(show(t).value === null ? unreliable : reliable))],
    [properties.outOfService, () => one(encode.boolean(false))],
  ]);
  if (analog) {
    values.set(properties.units, () => one(encode.enumerated(analog.units)));
    values.set(properties.covIncrement, () => one(encode.real(analog.increment)));
  }
  if (isBinaryField) values.set(properties.polarity, () => one(encode.enumerated(0)));
  if (access === 'commandable') {
    values.set(properties.priorityArray, () => holds.slots().map(slot));
    values.set(properties.relinquishDefault, (t) => one(shownOf(quantity(t), analog, false).presentValue));
  }
  const property = (asked: number, t: number) => values.get(asked)?.(t);
  const put = access === 'read' ? {} : { put: holds.put };
  return { type, instance, row, propertyIds: [...values.keys()], property, show, ...put };
}

/** The same value is asked for several times: as value, flags and reliability, and while it stands. */
function rememberingLast(analog: BacnetRow['analog']): (raw: number, isInAlarm: boolean) => Shown {
  let last: { readonly raw: number; readonly isInAlarm: boolean; readonly shown: Shown } | undefined;
  return (raw, isInAlarm) => {
    if (!last || !Object.is(last.raw, raw) || last.isInAlarm !== isInAlarm)
      last = { raw, isInAlarm, shown: shownOf(raw, analog, isInAlarm) };
    return last.shown;
  };
}

function shownOf(raw: number, analog: BacnetRow['analog'], isInAlarm: boolean): Shown {
  const isFault = !Number.isFinite(raw);
  const exact = analog ? shortestFloat32(Number(raw.toFixed(analog.digits))) : Number(raw > 0);
  const value = isFault ? null : exact;
  const statusBits = [isInAlarm, isFault, false, false];
  return {
    value,
    presentValue: analog ? encode.real(value ?? NaN) : encode.enumerated(value ?? 0),
    statusFlags: encode.bits(statusBits),
    statusBits,
  };
}

/** Notification class 1, clause 12.21. */
function createClassObject(key: string, recipients: () => readonly number[]): SimObject {
  const instance = 1;
  const values = new Map<number, () => readonly number[]>([
    [properties.objectIdentifier, () => encode.objectId(NOTIFICATION_CLASS, instance)],
    [properties.objectName, () => encode.characters(`${key}.NC-${instance}`)],
    [properties.objectType, () => encode.enumerated(NOTIFICATION_CLASS)],
    [properties.notificationClass, () => encode.unsigned(instance)],
    [properties.ackRequired, () => encode.bits([false, false, false])],
    [properties.recipientList, recipients],
  ]);
  const property = (id: number) => {
    const value = values.get(id);
    return value && [value()];
  };
  return { type: NOTIFICATION_CLASS, instance, propertyIds: [...values.keys()], property };
}

/** Bits of ReadProperty, WriteProperty, ReadPropertyMultiple, SubscribeCOV, ReadRange, alarms, Who-Is and I-Am among the 40 services of clause 21. */
const services = (table: BacnetTable): boolean[] => {
  const alarms = table.alarms.length > 0 ? [2, 3, 8, 9, 39] : [];
  const trends = table.trends.length > 0 ? [35] : [];
  const supported = new Set([
    12,
    15,
    26,
    34,
    ...alarms,
    ...trends,
    ...(table.multiple ? [14] : []),
    ...(table.cov ? [5] : []),
  ]);
  return Array.from({ length: 40 }, (_, bit) => supported.has(bit));
};

function createDeviceObject(
  { key, table }: ServedDevice<BacnetTable>,
  instance: number,
  objects: readonly SimObject[],
): SimObject {
  const types = new Set<number>([DEVICE, NOTIFICATION_CLASS, TREND_LOG, ...Object.values(objectTypes)]);
  const aheadMs = table.utcOffsetMin * 60_000;
  const one = (octets: readonly number[]) => [octets];
  const values = new Map<number, readonly (readonly number[])[]>([
    [properties.objectIdentifier, one(encode.objectId(DEVICE, instance))],
    [properties.objectName, one(encode.characters(key))],
    [properties.objectType, one(encode.enumerated(DEVICE))],
    [properties.systemStatus, one(encode.enumerated(0))],
    [properties.vendorName, one(encode.characters('Parkline Simulator'))],
    [properties.vendorIdentifier, one(encode.unsigned(0))],
    [properties.model, one(encode.characters(table.device))],
    [properties.firmware, one(encode.characters('1.0'))],
    [properties.softwareVersion, one(encode.characters('1.0'))],
    [properties.protocolVersion, one(encode.unsigned(1))],
    [properties.protocolRevision, one(encode.unsigned(14))],
    [properties.servicesSupported, one(encode.bits(services(table)))],
    [
      properties.objectTypesSupported,
      one(encode.bits(Array.from({ length: 50 }, (_, bit) => types.has(bit)))),
    ],
    [
      properties.objectList,
      [encode.objectId(DEVICE, instance), ...objects.map((o) => encode.objectId(o.type, o.instance))],
    ],
    [properties.maxApdu, one(encode.unsigned(table.maxApdu))],
    [properties.segmentation, one(encode.enumerated(segmentationOf(table)))],
    [properties.apduTimeout, one(encode.unsigned(3_000))],
    [properties.retries, one(encode.unsigned(3))],
    [properties.addressBinding, []],
    [properties.databaseRevision, one(encode.unsigned(1))],
    [properties.utcOffset, one(encode.signed(-table.utcOffsetMin))], // West of Greenwich counts positive, clause 12.11.
    [properties.daylightSavings, one(encode.boolean(false))],
  ]);
  const clock = new Map<number, (t: number) => readonly number[]>([
    [properties.localDate, (t) => encode.date(t + aheadMs)],
    [properties.localTime, (t) => encode.time(t + aheadMs)],
  ]);
  const property = (id: number, t: number) => {
    const now = clock.get(id);
    return now ? [now(t)] : values.get(id);
  };
  return { type: DEVICE, instance, propertyIds: [...values.keys(), ...clock.keys()], property };
}

/** BACnetSegmentation: segmented-both 0, no-segmentation 3. */
export const segmentationOf = ({ segmentation }: BacnetTable): number => (segmentation === 'both' ? 0 : 3);
