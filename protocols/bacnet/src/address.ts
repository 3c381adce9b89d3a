import { DriverError } from '@parkline/kit';

/** Object types whose present value is a number, ASHRAE 135 clause 21. A controller's own types go by their number. */
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
  'multi-state-value': 19,
  accumulator: 23,
  'pulse-converter': 24,
  'integer-value': 45,
  'large-analog-value': 46,
  'positive-integer-value': 48,
  'lighting-output': 54,
  'binary-lighting-output': 55,
};

/** Properties worth reading as a number, or needed to read one. */
export const properties = {
  'change-of-state-count': 15,
  'cov-increment': 22,
  'elapsed-active-time': 33,
  'event-state': 36,
  'high-limit': 45,
  'low-limit': 59,
  'max-pres-value': 65,
  'min-pres-value': 69,
  'object-list': 76,
  'object-name': 77,
  'out-of-service': 81,
  polarity: 84,
  'present-value': 85,
  reliability: 103,
  'relinquish-default': 104,
  'status-flags': 111,
  'system-status': 112,
  units: 117,
  'database-revision': 155,
} as const satisfies Record<string, number>;

/** An object of a device. */
export interface ObjectId {
  /** 0..1023; 128 and above are a maker's own. */
  readonly type: number;
  /** 0..4194302. */
  readonly instance: number;
}

/** A property of an object: what a point reads. */
export interface Address extends ObjectId {
  readonly property: number;
}

export const DEVICE = objectTypes.device!;
const MAX_TYPE = 1_023;
/** 4194303 means "no instance". */
export const MAX_INSTANCE = 0x3f_fffe;
const MAX_PROPERTY = 0x3f_ffff;

const typeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(objectTypes).map(([name, type]) => [type, name]),
);

/**
 * Reads `<object type>,<instance>[,<property>]`: `analog-input,3`, `binary-value,7,out-of-service`, `130,1,512`. Types and
 * properties go by name or number; the property is the present value unless another is named.
 * @throws DriverError 'config' that says what is wrong and what would be right.
 */
export function parseAddress(text: string): Address {
  const fail = (what: string): never => {
    throw new DriverError('config', `${what} in address '${text}'`, 'bacnet address');
  };
  const [typeText = '', instanceText = '', propertyText = 'present-value', ...more] = text.split(',');
  if (more.length > 0) return fail('too many parts');
  const type = numberOf(typeText, objectTypes, MAX_TYPE);
  if (type === undefined) {
    return fail(`'${typeText}' is neither one of ${Object.keys(objectTypes).join(', ')} nor 0..${MAX_TYPE}`);
  }
  const instance = numberOf(instanceText, {}, MAX_INSTANCE);
  if (instance === undefined) return fail(`'${instanceText}' is not an instance 0..${MAX_INSTANCE}`);
  const property = numberOf(propertyText, properties, MAX_PROPERTY);
  if (property === undefined) {
    return fail(`'${propertyText}' is neither one of ${Object.keys(properties).join(', ')} nor a number`);
  }
  return { type, instance, property };
}

function numberOf(text: string, names: Readonly<Record<string, number>>, most: number): number | undefined {
  if (Object.hasOwn(names, text)) return names[text];
  return /^\d{1,7}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

/** The address of an object's present value. */
export const formatAddress = ({ type, instance }: ObjectId): string =>
  `${typeNames.get(type) ?? type},${instance}`;

/** Whether objects of this type have a present value that is a number. */
export const isPoint = (type: number): boolean => type !== DEVICE && typeNames.has(type);

/** Outputs and values may be commanded; inputs measure. */
export const isWritable = (type: number): boolean => !(typeNames.get(type) ?? '').endsWith('-input');
