import { type BacnetRow, type BacnetTable, objectTypes } from '../tables/bacnet-table.ts';
import { shortestFloat32 } from '../words.ts';
import * as encode from './bacnet-codec.ts';
import type { ServedDevice } from './bus-server.ts';

/** Property identifiers of ASHRAE 135 clause 21. */
export const properties = {
  all: 8,
  apduTimeout: 11,
  softwareVersion: 12,
  covIncrement: 22,
  description: 28,
  addressBinding: 30,
  eventState: 36,
  firmware: 44,
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
  objectTypesSupported: 96,
  servicesSupported: 97,
  protocolVersion: 98,
  reliability: 103,
  required: 105,
  segmentation: 107,
  statusFlags: 111,
  systemStatus: 112,
  units: 117,
  vendorIdentifier: 120,
  vendorName: 121,
  protocolRevision: 139,
  databaseRevision: 155,
} as const;

export const DEVICE = 8;
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
}

/** The objects of a controller: its device object first, then those of its table. */
export function createObjects(device: ServedDevice<BacnetTable>, instance: number): readonly SimObject[] {
  const objects = device.table.rows.map((row) => createPointObject(row, device));
  return [createDeviceObject(device, instance, objects), ...objects];
}

function createPointObject(row: BacnetRow, { key, quantities }: ServedDevice<BacnetTable>): SimObject {
  const quantity = quantities.get(row.quantity);
  if (!quantity) throw new Error(`${key}: its model has no quantity ${row.quantity}`);
  const { type, instance, name, description, analog } = row;
  let last: { readonly raw: number; readonly shown: Shown } | undefined;
  /** The same value is asked for several times: as value, flags and reliability, and while it stands. */
  const show = (t: number): Shown => {
    const raw = quantity(t);
    if (!last || !Object.is(last.raw, raw)) last = { raw, shown: shownOf(raw, analog) };
    return last.shown;
  };
  const isBinaryField = type === objectTypes.BI || type === objectTypes.BO;
  const values = new Map<number, (t: number) => readonly number[]>([
    [properties.objectIdentifier, () => encode.objectId(type, instance)],
    [properties.objectName, () => encode.characters(`${key}.${name}`)],
    [properties.objectType, () => encode.enumerated(type)],
    [properties.presentValue, (t) => show(t).presentValue],
    [properties.description, () => encode.characters(description)],
    [properties.statusFlags, (t) => show(t).statusFlags],
    [properties.eventState, () => encode.enumerated(0)],
    [properties.reliability, (t) => encode.enumerated(show(t).value === null ? unreliable : reliable)],
    [properties.outOfService, () => encode.boolean(false)],
    ...(analog
      ? ([
          [properties.units, () => encode.enumerated(analog.units)],
          [properties.covIncrement, () => encode.real(analog.increment)],
        ] as const)
      : []),
    ...(isBinaryField ? ([[properties.polarity, () => encode.enumerated(0)]] as const) : []),
  ]);
  const property = (id: number, t: number): readonly (readonly number[])[] | undefined => {
    const value = values.get(id);
    return value && [value(t)];
  };
  return { type, instance, row, propertyIds: [...values.keys()], property, show };
}

function shownOf(raw: number, analog: BacnetRow['analog']): Shown {
  const isFault = !Number.isFinite(raw);
  const exact = analog ? shortestFloat32(Number(raw.toFixed(analog.digits))) : Number(raw > 0);
  const value = isFault ? null : exact;
  return {
    value,
    presentValue: analog ? encode.real(value ?? NaN) : encode.enumerated(value ?? 0),
    statusFlags: encode.bits([false, isFault, false, false]),
  };
}

/** Bits of ReadProperty, ReadPropertyMultiple, SubscribeCOV, Who-Is and I-Am among the 40 services of clause 21. */
const services = (table: BacnetTable): boolean[] => {
  const supported = new Set([12, 26, 34, ...(table.multiple ? [14] : []), ...(table.cov ? [5] : [])]);
  return Array.from({ length: 40 }, (_, bit) => supported.has(bit));
};

function createDeviceObject(
  { key, table }: ServedDevice<BacnetTable>,
  instance: number,
  objects: readonly SimObject[],
): SimObject {
  const types = new Set<number>([DEVICE, ...Object.values(objectTypes)]);
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
  ]);
  return { type: DEVICE, instance, propertyIds: [...values.keys()], property: (id) => values.get(id) };
}

/** BACnetSegmentation: segmented-both 0, no-segmentation 3. */
export const segmentationOf = ({ segmentation }: BacnetTable): number => (segmentation === 'both' ? 0 : 3);
