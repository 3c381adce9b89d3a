import { DriverError } from '@parkline/kit';

/** Object types whose present value may be a number, ASHRAE 135 clause 21. A controller's own types go by their number. */
export const objectTypes: Readonly<Record<string, number>> = {
  'analog-input': 0,
  'analog-output': 1,
  'analog-value': 2,
  'binary-input': 3,
  'binary-output': 4,
  'binary-value': 5,
  device: 8,
  loop: 12,
  'multi-state-input': 13,
  'multi-state-output': 14,
  schedule: 17,
  'multi-state-value': 19,
  accumulator: 23,
  'pulse-converter': 24,
  'integer-value': 45,
  'large-analog-value': 46,
  'positive-integer-value': 48,
  'lighting-output': 54,
  'binary-lighting-output': 55,
};

/** Objects that are no points and are spoken of all the same. */
const otherTypes: Readonly<Record<string, number>> = {
  calendar: 6,
  'event-enrollment': 9,
  group: 11,
  'notification-class': 15,
  program: 16,
  averaging: 18,
  'trend-log': 20,
  'life-safety-point': 21,
  'life-safety-zone': 22,
  'event-log': 25,
  'trend-log-multiple': 27,
  'load-control': 28,
};

/** Properties worth reading as a number, or needed to read one. */
export const properties = {
  'change-of-state-count': 15,
  'cov-increment': 22,
  'daylight-savings-status': 24,
  description: 28,
  'elapsed-active-time': 33,
  'event-state': 36,
  'exception-schedule': 38,
  'firmware-revision': 44,
  'high-limit': 45,
  'local-date': 56,
  'local-time': 57,
  location: 58,
  'low-limit': 59,
  'max-pres-value': 65,
  'min-pres-value': 69,
  'model-name': 70,
  'object-identifier': 75,
  'object-list': 76,
  'object-name': 77,
  'out-of-service': 81,
  polarity: 84,
  'present-value': 85,
  'priority-array': 87,
  reliability: 103,
  'relinquish-default': 104,
  'status-flags': 111,
  'system-status': 112,
  units: 117,
  'utc-offset': 119,
  'vendor-name': 121,
  'weekly-schedule': 123,
  'log-buffer': 131,
  'database-revision': 155,
} as const satisfies Record<string, number>;

/** An object of a device. */
export interface ObjectId {
  /** 0..1023; 128 and above are a maker's own. */
  readonly type: number;
  /** 0..4194302. */
  readonly instance: number;
}

/** A property of an object, or one element of it: what a point reads. */
export interface Address extends ObjectId {
  readonly property: number;
  /** Of an array; absent for all of it. */
  readonly index?: number;
}

export const DEVICE = objectTypes.device!;
const MAX_TYPE = 1_023;
/** 4194303 means "no instance". */
export const MAX_INSTANCE = 0x3f_fffe;
const MAX_PROPERTY = 0x3f_ffff;

const typeNames: ReadonlyMap<number, string> = new Map(
  Object.entries({ ...objectTypes, ...otherTypes }).map(([name, type]) => [type, name]),
);
const pointTypes: ReadonlySet<number> = new Set(Object.values(objectTypes));
const MAX_INDEX = 0x3f_ffff;

const fail = (what: string, text: string): never => {
  throw new DriverError('config', `${what} in address '${text}'`, 'bacnet address');
};

/**
 * Reads `<object type>,<instance>[,<property>[,<index>]]`: `analog-input,3`, `binary-value,7,out-of-service`, `130,1,512`,
 * `analog-output,1,priority-array,8`. Types and properties go by name or number; the property is the present value unless
 * another is named.
 * @throws DriverError 'config' that says what is wrong and what would be right.
 */
export function parseAddress(text: string): Address {
  const [typeText = '', instanceText = '', propertyText = 'present-value', indexText, ...more] =
    text.split(',');
  if (more.length > 0) return fail('too many parts', text);
  const object = objectOf(typeText, instanceText, objectTypes, text);
  const property = numberOf(propertyText, properties, MAX_PROPERTY);
  if (property === undefined) {
    const known = Object.keys(properties).join(', ');
    return fail(`'${propertyText}' is neither one of ${known} nor a number`, text);
  }
  if (indexText === undefined) return { ...object, property };
  const index = numberOf(indexText, {}, MAX_INDEX);
  if (index === undefined) return fail(`'${indexText}' is not an index 0..${MAX_INDEX}`, text);
  return { ...object, property, index };
}

/** Reads `<object type>,<instance>` of any object: `trend-log,5`. @throws DriverError 'config'. */
export function parseObject(text: string): ObjectId {
  const [typeText = '', instanceText = '', ...more] = text.split(',');
  if (more.length > 0) return fail('too many parts', text);
  return objectOf(typeText, instanceText, { ...objectTypes, ...otherTypes }, text);
}

function objectOf(
  typeText: string,
  instanceText: string,
  names: Readonly<Record<string, number>>,
  text: string,
): ObjectId {
  const type = numberOf(typeText, names, MAX_TYPE);
  if (type === undefined)
    return fail(`'${typeText}' is neither one of ${Object.keys(names).join(', ')} nor 0..${MAX_TYPE}`, text);
  const instance = numberOf(instanceText, {}, MAX_INSTANCE);
  if (instance === undefined) return fail(`'${instanceText}' is not an instance 0..${MAX_INSTANCE}`, text);
  return { type, instance };
}

function numberOf(text: string, names: Readonly<Record<string, number>>, most: number): number | undefined {
  if (Object.hasOwn(names, text)) return names[text];
  return /^\d{1,7}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

/** The address of an object's present value. */
export const formatAddress = ({ type, instance }: ObjectId): string =>
  `${typeNames.get(type) ?? type},${instance}`;

/** Whether objects of this type have a present value that may be a number. */
export const isPoint = (type: number): boolean => type !== DEVICE && pointTypes.has(type);

export const objectNumbers = {
  schedule: objectTypes.schedule!,
  notificationClass: otherTypes['notification-class']!,
  trendLog: otherTypes['trend-log']!,
} as const;

/** Outputs and values may be commanded; inputs measure, and schedules follow the clock. */
export const isWritable = (type: number): boolean =>
  type !== objectTypes.schedule && !(typeNames.get(type) ?? '').endsWith('-input');
