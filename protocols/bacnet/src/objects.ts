import type { Found } from '@parkline/kit';
import { DEVICE, formatAddress, isPoint, isWritable, type ObjectId, properties } from './address.ts';
import type { Link } from './link.ts';
import { keyOf, type PropertyReader } from './reader.ts';
import { Refusal } from './refusal.ts';
import type { PropertyValue } from './station.ts';
import { tags } from './tags.ts';

/** Names asked for at a time, so that a slow device shows progress. */
const NAMES = 20;
/** An object list longer than this is a fault of the device. */
const MOST_OBJECTS = 100_000;

/** Every point of a device with its name, as the answers come. Rejects with DriverError, or Refusal when it keeps its list to itself. */
export async function* browse(
  link: Link,
  instance: number,
  reader: PropertyReader,
  signal: AbortSignal,
): AsyncGenerator<Found> {
  const objects = (await readObjectList(link, instance, signal)).filter(({ type }) => isPoint(type));
  const name = properties['object-name'];
  for (let at = 0; at < objects.length; at += NAMES) {
    const some = objects.slice(at, at + NAMES);
    const outcomes = await reader.read(
      some.map((object) => ({ ...object, properties: [name] })),
      signal,
    );
    for (const object of some) {
      const outcome = outcomes.get(keyOf(object, name));
      const label = outcome?.ok ? textOf(outcome.values) : '';
      yield { address: formatAddress(object), label, writable: isWritable(object.type) };
    }
  }
}

/** The object list at once, in segments where it is long; one by one where the device cannot send segments. */
export async function readObjectList(
  link: Link,
  instance: number,
  signal: AbortSignal,
): Promise<readonly ObjectId[]> {
  const device = { type: DEVICE, instance };
  const list = properties['object-list'];
  const ask = (index?: number): Promise<readonly PropertyValue[]> =>
    link.ask((station) => station.readProperty(device, list, index), signal);
  try {
    return (await ask()).flatMap(objectOf);
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== 'abort') throw error;
  }
  const count = Number((await ask(0))[0]?.value ?? 0);
  const objects: ObjectId[] = [];
  for (let index = 1; index <= Math.min(count, MOST_OBJECTS); index += 1)
    objects.push(...(await ask(index)).flatMap(objectOf));
  return objects;
}

function objectOf({ type, value }: PropertyValue): ObjectId[] {
  return type === tags.object ? [value as ObjectId] : [];
}

function textOf([first]: readonly PropertyValue[]): string {
  return first?.type === tags.characters ? String(first.value) : '';
}
