import type { ObjectId } from './address.ts';
import { services } from './datagram.ts';
import { contextObject, contextUnsigned, enclosed, type Octets } from './encode.ts';
import type { Station } from './station.ts';
import { createReader, type HeldValues, Malformed, type Reader } from './tags.ts';

/** A property, or one element of it where it is an array. */
export interface PropertyRef {
  readonly id: number;
  /** Array index; 0 is the number of elements. */
  readonly index?: number;
}

/** Properties of one object. */
export interface Wanted extends ObjectId {
  readonly properties: readonly PropertyRef[];
}

/** Error class and code in place of a value, clause 18. */
export interface ErrorPair {
  readonly errorClass: number;
  readonly code: number;
}

/** One property of an answer: what it holds, or why it does not say. */
export interface PropertyResult extends PropertyRef {
  readonly outcome: HeldValues | ErrorPair;
}

export interface ReadResult {
  readonly object: ObjectId;
  readonly results: readonly PropertyResult[];
}

export const isSame = (a: ObjectId, b: ObjectId): boolean => a.type === b.type && a.instance === b.instance;
export const isSameProperty = (a: PropertyRef, b: PropertyRef): boolean =>
  a.id === b.id && a.index === b.index;

/** What a property holds, clause 15.5. An answer about anything else is none. */
export const readProperty = (
  station: Station,
  object: ObjectId,
  property: PropertyRef,
): Promise<HeldValues> =>
  station.request(
    services.readProperty,
    [...contextObject(0, object), ...propertyOctets(1, property)],
    (ack) => {
      const reader = createReader(ack);
      const isAsked = isSame(reader.object(0), object) && isSameProperty(propertyIn(reader, 1), property);
      if (!isAsked) throw new Malformed('the answer is about another property');
      return reader.held(3);
    },
  );

/** Properties of several objects at once, clause 15.7. */
export const readMultiple = (station: Station, asked: readonly Wanted[]): Promise<readonly ReadResult[]> =>
  station.request(services.readPropertyMultiple, asked.flatMap(specification), (ack) => {
    const reader = createReader(ack);
    const results: ReadResult[] = [];
    while (!reader.isAtEnd) results.push(resultIn(reader));
    return results;
  });

export const propertyOctets = (number: number, { id, index }: PropertyRef): Octets => [
  ...contextUnsigned(number, id),
  ...(index === undefined ? [] : contextUnsigned(number + 1, index)),
];

export function propertyIn(reader: Reader, number: number): PropertyRef {
  const id = reader.unsigned(number);
  return reader.isContext(number + 1) ? { id, index: reader.unsigned(number + 1) } : { id };
}

const specification = ({ type, instance, properties }: Wanted): Octets => [
  ...contextObject(0, { type, instance }),
  ...enclosed(
    1,
    properties.flatMap((property) => propertyOctets(0, property)),
  ),
];

function resultIn(reader: Reader): ReadResult {
  const object = reader.object(0);
  const results: PropertyResult[] = [];
  for (reader.open(1); !reader.isClosing(1);) {
    const property = propertyIn(reader, 2);
    const outcome = reader.isOpening(5) ? errorIn(reader.enclosed(5)) : reader.held(4);
    results.push({ ...property, outcome });
  }
  reader.close(1);
  return { object, results };
}

/** Error class and code as application values. @throws Malformed. */
export function errorIn(data: Buffer): ErrorPair {
  const reader = createReader(data);
  const [errorClass, code] = [reader.value().value, reader.value().value];
  if (typeof errorClass !== 'number' || typeof code !== 'number')
    throw new Malformed('an error without code');
  return { errorClass, code };
}
