import { DEVICE, type ObjectId, properties } from './address.ts';
import type { Link } from './link.ts';
import {
  type ErrorPair,
  isSame,
  isSameProperty,
  type PropertyRef,
  type ReadResult,
  readMultiple,
  readProperty,
  type Wanted,
} from './read-property.ts';
import { errorWords, isTooLong, isUnknownService, Refusal } from './refusal.ts';
import { type Station, Stranger } from './station.ts';
import { type HeldValues, type PropertyValue, tags } from './tags.ts';

/** The value of a property, or the device's reason for not telling it. */
export type Outcome =
  ({ readonly ok: true } & HeldValues) | { readonly ok: false; readonly why: string; readonly code?: number };

/** By {@link keyOf}; every property that was asked for is in it. */
export type Outcomes = ReadonlyMap<string, Outcome>;

export const keyOf = ({ type, instance }: ObjectId, { id, index = -1 }: PropertyRef): string =>
  `${type},${instance},${id},${index}`;

/** The values of a property in an answer; undefined when the device refused it. */
export function valuesFrom(
  outcomes: Outcomes,
  object: ObjectId,
  property: PropertyRef,
): readonly PropertyValue[] | undefined {
  const outcome = outcomes.get(keyOf(object, property));
  return outcome?.ok ? outcome.values : undefined;
}

/** Reads properties in as few requests as the device takes. */
export interface PropertyReader {
  /** Rejects with DriverError when the device cannot be asked; what it refuses is in the outcomes. */
  read(wanted: readonly Wanted[], signal: AbortSignal): Promise<Outcomes>;
}

const OBJECT_IDENTIFIER: PropertyRef = { id: properties['object-identifier'] };
const UNKNOWN_OBJECT = 31;
/** Octets of an answer besides its points (headers, and the device's own name), and of one property with a name of middling length. */
const HEAD_OCTETS = 24;
const OBJECT_OCTETS = 7;
const PROPERTY_OCTETS = 12;
/** Objects in one request at most; a question must fit as well. */
const MOST_OBJECTS = 60;
/** Reads after which what was learned is forgotten. */
const LEARNED_READS = 200;

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
    await link.ask((station) => confirmIdentity(station, instance), signal);
    for (const object of batch) {
      for (const property of object.properties) {
        try {
          const data = await link.ask((station) => readProperty(station, object, property), signal);
          into.set(keyOf(object, property), { ok: true, ...data });
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          into.set(keyOf(object, property), { ok: false, why: error.message, code: error.code });
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
    const results = await readMultiple(station, asked);
    if (!isInOrder(results, asked)) return undefined;
    const { outcome } = results[0]!.results[0]!;
    if (!('values' in outcome) || !isIdentity(outcome, instance)) throw new Stranger();
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

/** Asks the device who it is. Before a write, and where it answers one property at a time. Rejects with Stranger. */
export async function confirmIdentity(station: Station, instance: number): Promise<void> {
  const isSelf = await readProperty(station, { type: DEVICE, instance }, OBJECT_IDENTIFIER).then(
    (data) => isIdentity(data, instance),
    (error: unknown) => unknownObject(error),
  );
  if (!isSelf) throw new Stranger();
}

function isIdentity({ values: [first] }: HeldValues, instance: number): boolean {
  return first?.type === tags.object && isSame(first.value as ObjectId, { type: DEVICE, instance });
}

/** False for a device that has no such device object. @throws the error when it says anything else. */
function unknownObject(error: unknown): false {
  if (error instanceof Refusal && error.kind === 'error' && error.code === UNKNOWN_OBJECT) return false;
  throw error;
}

/** Whether the answer names what was asked for, all of it and in that order. */
function isInOrder(answers: readonly ReadResult[], asked: readonly Wanted[]): boolean {
  return (
    answers.length === asked.length &&
    asked.every((object, n) => {
      const { object: named, results } = answers[n]!;
      return (
        isSame(named, object) &&
        results.length === object.properties.length &&
        object.properties.every((property, m) => isSameProperty(results[m]!, property))
      );
    })
  );
}

function take({ object, results }: ReadResult, into: Map<string, Outcome>): void {
  for (const { outcome, ...property } of results)
    into.set(keyOf(object, property), 'values' in outcome ? { ok: true, ...outcome } : refused(outcome));
}

const refused = ({ errorClass, code }: ErrorPair): Outcome => ({
  ok: false,
  why: errorWords(code, errorClass),
  code,
});
