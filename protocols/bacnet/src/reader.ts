import { DEVICE, type ObjectId } from './address.ts';
import type { Link } from './link.ts';
import { errorWords, isTooLong, isUnknownService, Refusal } from './refusal.ts';
import {
  isSame,
  type PropertyValue,
  type ReadResult,
  type Station,
  Stranger,
  WHOLE_ARRAY,
} from './station.ts';
import { tags } from './tags.ts';

/** Properties of one object. */
export interface Wanted extends ObjectId {
  readonly properties: readonly number[];
}

/** The value of a property, or the device's reason for not telling it. */
export type Outcome =
  | { readonly ok: true; readonly values: readonly PropertyValue[] }
  | { readonly ok: false; readonly why: string };

/** By {@link keyOf}; every property that was asked for is in it. */
export type Outcomes = ReadonlyMap<string, Outcome>;

export const keyOf = ({ type, instance }: ObjectId, property: number): string =>
  `${type},${instance},${property}`;

/** Reads properties in as few requests as the device takes. */
export interface PropertyReader {
  /** Rejects with DriverError when the device cannot be asked; what it refuses is in the outcomes. */
  read(wanted: readonly Wanted[], signal: AbortSignal): Promise<Outcomes>;
}

const OBJECT_IDENTIFIER = 75;
const UNKNOWN_OBJECT = 31;
/** Octets of an answer besides its points (headers, and the device's own name), and of one property with a name of middling length. */
const HEAD_OCTETS = 24;
const OBJECT_OCTETS = 7;
const PROPERTY_OCTETS = 12;
/** Objects in one request at most; a question must fit as well. */
const MOST_OBJECTS = 60;
/** Reads after which what was learned is forgotten. */
const LEARNED_READS = 200;
/** The library's marker of an error in place of a value. */
const ERROR_TYPE = 105;

/**
 * Every request also asks for the device object by its instance: addresses change hands, and only the right device has it.
 * @param instance Of the device.
 */
export function createPropertyReader(link: Link, instance: number): PropertyReader {
  const self: Wanted = { type: DEVICE, instance, properties: [OBJECT_IDENTIFIER] };
  // Learned from this device, so that each refusal is met once in a while only.
  let mostObjects = MOST_OBJECTS;
  let knowsMultiple = true;
  let learnedFor = 0;

  /** What was learned is put to the test again later: the device may have changed, or one bent answer told a lie. */
  function age(): void {
    learnedFor += 1;
    if (learnedFor < LEARNED_READS) return;
    learnedFor = 0;
    mostObjects = MOST_OBJECTS;
    knowsMultiple = true;
  }

  function batchSize(wanted: Wanted): number {
    const each = OBJECT_OCTETS + wanted.properties.length * PROPERTY_OCTETS;
    const fitting = Math.floor((link.maxApdu - HEAD_OCTETS) / each);
    return Math.max(1, Math.min(mostObjects, fitting));
  }

  async function readSingly(
    batch: readonly Wanted[],
    into: Map<string, Outcome>,
    signal: AbortSignal,
  ): Promise<void> {
    await link.ask(async (station) => {
      const isSelf = await station.readProperty(self, OBJECT_IDENTIFIER).then(
        (values) => isIdentity(values, self),
        (error: unknown) => unknownObject(error),
      );
      if (!isSelf) throw new Stranger();
    }, signal);
    for (const object of batch) {
      for (const property of object.properties) {
        try {
          const values = await link.ask((station) => station.readProperty(object, property), signal);
          into.set(keyOf(object, property), { ok: true, values });
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          into.set(keyOf(object, property), { ok: false, why: error.message });
        }
      }
    }
  }

  /** @returns undefined for an answer that does not name what was asked for. @throws Stranger. */
  async function readTogether(
    station: Station,
    batch: readonly Wanted[],
  ): Promise<readonly ReadResult[] | undefined> {
    const asked = [self, ...batch];
    const results = await station.readMultiple(asked);
    if (!isInOrder(results, asked)) return undefined;
    const values = (results[0]!.values as readonly { value: readonly PropertyValue[] }[])[0]!.value;
    if (!isIdentity(values, self)) throw new Stranger();
    return results.slice(1);
  }

  /** One request; where the device refuses it, two of half the length, and singly in the end. */
  async function readBatch(
    batch: readonly Wanted[],
    into: Map<string, Outcome>,
    signal: AbortSignal,
  ): Promise<void> {
    if (!knowsMultiple) return readSingly(batch, into, signal);
    try {
      const results = await link.ask((station) => readTogether(station, batch), signal);
      // Out of order (clause 15.7.3.1.1) an answer is not believed; singly each value comes with its own name.
      if (!results) return await readSingly(batch, into, signal);
      for (const result of results) take(result, into);
      return;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const half = Math.ceil(batch.length / 2);
      if (isUnknownService(error)) knowsMultiple = false;
      else if (isTooLong(error) && batch.length > 1) mostObjects = Math.min(mostObjects, half);
      if (!knowsMultiple || batch.length === 1) return readSingly(batch, into, signal);
      await readBatch(batch.slice(0, half), into, signal);
      await readBatch(batch.slice(half), into, signal);
    }
  }

  return {
    async read(wanted, signal) {
      const outcomes = new Map<string, Outcome>();
      age();
      for (let at = 0; at < wanted.length;) {
        const size = batchSize(wanted[at]!);
        await readBatch(wanted.slice(at, at + size), outcomes, signal);
        at += size;
      }
      return outcomes;
    },
  };
}

function isIdentity([first]: readonly PropertyValue[], self: ObjectId): boolean {
  return first?.type === tags.object && isSame(first.value as ObjectId, self);
}

/** False for a device that has no such device object. @throws the error when it says anything else. */
function unknownObject(error: unknown): false {
  if (error instanceof Refusal && error.kind === 'error' && error.code === UNKNOWN_OBJECT) return false;
  throw error;
}

/** Whether the answer names what was asked for, all of it and in that order. */
function isInOrder(results: readonly ReadResult[], batch: readonly Wanted[]): boolean {
  return (
    results.length === batch.length &&
    batch.every((object, n) => {
      const { objectId, values } = results[n]!;
      const ids = values as readonly { id: number; index: number }[];
      return (
        isSame(objectId, object) &&
        ids.length === object.properties.length &&
        object.properties.every((id, m) => ids[m]!.id === id && ids[m]!.index === WHOLE_ARRAY)
      );
    })
  );
}

function take({ objectId, values }: ReadResult, into: Map<string, Outcome>): void {
  for (const { id, value } of values as readonly { id: number; value: readonly PropertyValue[] }[])
    into.set(keyOf(objectId, id), outcomeOf(value));
}

function outcomeOf(values: readonly PropertyValue[]): Outcome {
  const [first] = values;
  if ((first?.type as number | undefined) !== ERROR_TYPE) return { ok: true, values };
  const { errorClass, errorCode } = first!.value as { errorClass: number; errorCode: number };
  return { ok: false, why: errorWords(errorCode, errorClass) };
}
