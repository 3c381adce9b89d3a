import type { Found } from '@parkline/kit';
import {
  DEVICE,
  formatAddress,
  isPoint,
  isWritable,
  type ObjectId,
  objectNumbers,
  properties,
} from './address.ts';
import type { Link } from './link.ts';
import { type PropertyRef, readProperty } from './read-property.ts';
import { keyOf, type Outcomes, type PropertyReader, valuesFrom } from './reader.ts';
import { Refusal } from './refusal.ts';
import { exceptionWords, valueWords, weekWords } from './schedule.ts';
import { Malformed, type PropertyValue, tags } from './tags.ts';
import { unitName } from './units.ts';

/** Objects asked about at a time, so that a slow device shows progress. */
const AT_ONCE = 20;
/** An object list longer than this is a fault of the device. */
const MOST_OBJECTS = 100_000;

const ref = (name: keyof typeof properties): PropertyRef => ({ id: properties[name] });
const NAME = ref('object-name');
const VALUE = ref('present-value');
const UNITS = ref('units');
/** The number of its elements: there is a priority array. */
const PRIORITIES: PropertyRef = { id: properties['priority-array'], index: 0 };
const WEEK = ref('weekly-schedule');
const EXCEPTIONS = ref('exception-schedule');

const isSchedule = ({ type }: ObjectId): boolean => type === objectNumbers.schedule;
const asked = (object: ObjectId) => ({
  ...object,
  properties: isSchedule(object) ? [NAME, VALUE, WEEK, EXCEPTIONS] : [NAME, VALUE, UNITS, PRIORITIES],
});

/** Every point and trend log of a device with its name and facts, as the answers come. Rejects with DriverError, or Refusal when it keeps its list to itself. */
export async function* browse(
  link: Link,
  instance: number,
  reader: PropertyReader,
  signal: AbortSignal,
): AsyncGenerator<Found> {
  const objects = (await readObjectList(link, instance, signal)).filter(
    ({ type }) => isPoint(type) || type === objectNumbers.trendLog,
  );
  for (let at = 0; at < objects.length; at += AT_ONCE) {
    const some = objects.slice(at, at + AT_ONCE);
    const outcomes = await reader.read(
      some.map((object) => (isPoint(object.type) ? asked(object) : { ...object, properties: [NAME] })),
      signal,
    );
    for (const object of some) yield foundOf(object, outcomes);
  }
}

function foundOf(object: ObjectId, outcomes: Outcomes): Found {
  const first = (property: PropertyRef) => valuesFrom(outcomes, object, property)?.[0];
  const address = formatAddress(object);
  const label = textOf(first(NAME));
  if (!isPoint(object.type))
    return { address, label, writable: false, facts: { kind: 'history of a point' } };
  const value = first(VALUE);
  const units = first(UNITS);
  const facts = {
    ...(value ? { value: valueWords(value) } : {}),
    ...(units?.type === tags.enumerated ? { unit: unitName(Number(units.value)) } : {}),
    ...(isSchedule(object) ? scheduleFacts(object, outcomes) : {}),
    ...(isWritable(object.type) ? { commandable: first(PRIORITIES) ? 'yes' : 'no' } : {}),
  };
  return { address, label, writable: isWritable(object.type), facts };
}

function scheduleFacts(object: ObjectId, outcomes: Outcomes): Record<string, string> {
  const words = (property: PropertyRef, read: (encoded: Buffer) => string): string | undefined => {
    const outcome = outcomes.get(keyOf(object, property));
    try {
      return outcome?.ok ? read(outcome.encoded) : undefined;
    } catch (error) {
      if (error instanceof Malformed) return `cannot be read: ${error.message}`;
      throw error;
    }
  };
  const week = words(WEEK, weekWords);
  const exceptions = words(EXCEPTIONS, exceptionWords);
  return { ...(week ? { week } : {}), ...(exceptions ? { exceptions } : {}) };
}

/** The object list at once, in segments where it is long; one by one where the device cannot send segments. */
export async function readObjectList(
  link: Link,
  instance: number,
  signal: AbortSignal,
): Promise<readonly ObjectId[]> {
  const device = { type: DEVICE, instance };
  const id = properties['object-list'];
  const ask = async (property: PropertyRef): Promise<readonly PropertyValue[]> =>
    (await link.ask((station) => readProperty(station, device, property), signal)).values;
  try {
    return (await ask({ id })).flatMap(objectOf);
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== 'abort') throw error;
  }
  const count = Number((await ask({ id, index: 0 }))[0]?.value ?? 0);
  const objects: ObjectId[] = [];
  for (let index = 1; index <= Math.min(count, MOST_OBJECTS); index += 1)
    objects.push(...(await ask({ id, index })).flatMap(objectOf));
  return objects;
}

function objectOf({ type, value }: PropertyValue): ObjectId[] {
  return type === tags.object ? [value as ObjectId] : [];
}

export const textOf = (value: PropertyValue | undefined): string =>
  value?.type === tags.characters ? String(value.value) : '';
