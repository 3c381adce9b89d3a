import { DriverError } from '@parkline/kit';
import { fieldNames, isField } from './layout.ts';

/** The metering data: the one item that every meter tells, and that all points come from. */
export const METERING = '901F';
/** Order to the valve. */
export const VALVE = 'A017';

/** Where a number is in a meter. */
export interface Address {
  readonly field: string;
}

/**
 * Reads `901F:<field>`, such as `901F:volume`.
 * @param type Kind of the meter, 2 hex digits.
 * @throws DriverError 'config' that says what is wrong and what would be right.
 */
export function parseAddress(text: string, type: string): Address {
  const [, item, field = ''] = /^([0-9A-Fa-f]{4}):(\w+)$/.exec(text) ?? [];
  if (item?.toUpperCase() === METERING && isField(type, field)) return { field };
  const names = fieldNames(type)?.map((name) => `${METERING}:${name}`) ?? [];
  const right = names.length > 0 ? `; there are ${names.join(', ')}, ${METERING}:st0 to st15` : '';
  throw new DriverError('config', `no '${text}' in a meter of type ${type}${right}`, 'cjt188 address');
}
