import { setTimeout as sleep } from 'node:timers/promises';
import { DriverError, type PointRef, rawOf, type WriteOrder, type Written } from '@parkline/kit';
import { type Address, properties } from './address.ts';
import { services } from './datagram.ts';
import { application, contextObject, contextUnsigned, enclosed, type Octets } from './encode.ts';
import { exactly } from './exact.ts';
import type { Link } from './link.ts';
import { propertyOctets, type PropertyRef } from './read-property.ts';
import {
  confirmIdentity,
  keyOf,
  type Outcome,
  type Outcomes,
  type PropertyReader,
  valuesFrom,
} from './reader.ts';
import { Refusal } from './refusal.ts';
import { type PropertyValue, tags } from './tags.ts';
import { flagsOf, numberOf, shownOf } from './value.ts';

export interface WriterDeps {
  readonly link: Link;
  readonly reader: PropertyReader;
  /** Of the device. */
  readonly instance: number;
  readonly now: () => number;
}

/** Ranks of a commandable object that belong to people and programs; 1 to 7 are for life safety and equipment. Clause 19.2. */
const PRIORITIES = { first: 8, last: 16 } as const;
/** How long a device may take to show what it took: looks after so many ms. */
const LOOKS_MS = [0, 100, 400, 1_000] as const;

/** Unknown property, invalid array index, not an array. */
const NO_PRIORITIES = [32, 42, 50];

const slot = (priority: number): PropertyRef => ({ id: properties['priority-array'], index: priority });
const flagsRef: PropertyRef = { id: properties['status-flags'] };

/** What is to be written, and where. */
interface Target {
  readonly address: Address;
  readonly property: PropertyRef;
  /** Undefined for what has no priority array. */
  readonly priority: number | undefined;
  readonly ref: PointRef;
  /** Engineering value as it must show; null for a relinquish. */
  readonly expected: number | null;
}

/** Writes one value and reads it back, with the slot of the priority array that it went to. See Driver.write. */
export async function writePoint(
  deps: WriterDeps,
  address: Address,
  order: WriteOrder,
  signal: AbortSignal,
): Promise<Written> {
  const { link, instance } = deps;
  const priority = priorityOf(order, link.where);
  await link.find(signal);
  const property = propertyOf(address);
  const isPresentValue = property.id === properties['present-value'];
  const wanted = isPresentValue ? [property, slot(priority)] : [property];
  const before = await deps.reader.read([{ ...address, properties: wanted }], signal);
  const isCommandable = isPresentValue && hasPriorities(before.get(keyOf(address, slot(priority))));
  const encoded = encodedOf(order, before, address, isCommandable, link.where);
  const target: Target = {
    address,
    property,
    priority: isCommandable ? priority : undefined,
    ref: order.ref,
    expected: order.value,
  };
  const data = requestOctets(target, encoded);
  try {
    await link.ask(async (station) => {
      await confirmIdentity(station, instance);
      await station.request(services.writeProperty, data, () => undefined);
    }, signal);
  } catch (error) {
    throw told(error, link.where);
  }
  return readBack(deps, target, signal);
}

function priorityOf({ priority = PRIORITIES.last }: WriteOrder, where: string): number {
  const { first, last } = PRIORITIES;
  if (Number.isInteger(priority) && priority >= first && priority <= last) return priority;
  throw new DriverError('config', `priority ${priority} is not ${first}..${last}`, where);
}

/** A priority array that the device keeps to itself is there all the same. */
const hasPriorities = (outcome: Outcome | undefined): boolean =>
  outcome !== undefined && (outcome.ok || !NO_PRIORITIES.includes(outcome.code ?? 0));

const propertyOf = ({ property, index }: Address): PropertyRef =>
  index === undefined ? { id: property } : { id: property, index };

/** The value as the object holds it. @throws DriverError 'config' or 'refused' for one that it cannot hold. */
function encodedOf(
  { value, ref }: WriteOrder,
  before: Outcomes,
  address: Address,
  isCommandable: boolean,
  where: string,
): Octets {
  const outcome = before.get(keyOf(address, propertyOf(address)));
  if (!outcome?.ok)
    throw new DriverError('refused', outcome?.why ?? 'not answered', `${where} ${ref.address}`);
  const [first, ...more] = valuesFrom(before, address, propertyOf(address)) ?? [];
  const refuse = (what: string): never => {
    throw new DriverError('config', what, `${where} ${ref.address}`);
  };
  if (value === null)
    return isCommandable
      ? application(tags.null, 0)
      : refuse('it has no priority array: nothing can be relinquished');
  if (!first || more.length > 0) return refuse('it holds a list, not a number');
  const exact = exactly(rawOf(value, ref), first.type, address);
  if (typeof exact === 'string') return refuse(`${value}: ${exact}`);
  if (shownOf(exact.raw, ref) !== value)
    return refuse(`${value} would show as ${shownOf(exact.raw, ref)}: it has more digits than the point`);
  return application(first.type, exact.raw);
}

/** WriteProperty, clause 15.9. */
function requestOctets({ address, property, priority }: Target, encoded: Octets): Octets {
  const { type, instance } = address;
  return [
    ...[...contextObject(0, { type, instance }), ...propertyOctets(1, property)],
    ...enclosed(3, encoded),
    ...(priority === undefined ? [] : contextUnsigned(4, priority)),
  ];
}

/** After a word that cannot be read nobody knows either whether it was written. */
function told(error: unknown, where: string): unknown {
  if (error instanceof Refusal) return new DriverError('refused', error.message, where, { cause: error });
  if (error instanceof DriverError && error.code === 'garbage')
    return new DriverError('timeout', `the answer to the write cannot be read: ${error.message}`, where, {
      cause: error,
    });
  return error;
}

/** Looks until the device shows it, and a little longer where it does not. */
async function readBack(deps: WriterDeps, target: Target, signal: AbortSignal): Promise<Written> {
  let written: Written | undefined;
  for (const pauseMs of LOOKS_MS) {
    if (pauseMs > 0) await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    written = await look(deps, target, signal);
    if (written.state !== 'differs') break;
  }
  return written!;
}

async function look(
  { reader, now }: WriterDeps,
  { address, property, priority, ref, expected }: Target,
  signal: AbortSignal,
): Promise<Written> {
  const slots = Array.from({ length: priority ?? 0 }, (_, n) => slot(n + 1));
  const flags = property.id === properties['present-value'] ? [flagsRef] : [];
  const outcomes = await reader.read([{ ...address, properties: [property, ...flags, ...slots] }], signal);
  const shown = engineeringOf(valuesFrom(outcomes, address, property), ref);
  const held = slots.map((each) => valuesFrom(outcomes, address, each));
  const judged = judge(shown, held, expected, ref);
  const isOut = flagsOf(valuesFrom(outcomes, address, flagsRef))?.detached === 'out of service';
  const detail = isOut
    ? [judged.detail, 'the object is out of service'].filter(Boolean).join('; ')
    : judged.detail;
  return { state: judged.state, at: now(), readBack: shown, ...(detail ? { detail } : {}) };
}

function engineeringOf(values: readonly PropertyValue[] | undefined, ref: PointRef): number | null {
  const [first] = values ?? [];
  const raw = first && numberOf(first);
  return typeof raw === 'number' && Number.isFinite(raw) ? shownOf(raw, ref) : null;
}

/**
 * @param held What the priority array holds from priority 1 to the one written, undefined where the device does not say; empty
 * for an object without one.
 */
function judge(
  shown: number | null,
  held: readonly (readonly PropertyValue[] | undefined)[],
  expected: number | null,
  ref: PointRef,
): Pick<Written, 'state' | 'detail'> {
  const own = held.at(-1);
  const isEmpty = own?.[0]?.type === tags.null;
  const above = held.slice(0, -1).findIndex((values) => values && values[0]?.type !== tags.null) + 1;
  const inForce = above > 0 ? `priority ${above} is in force` : undefined;
  if (expected === null) {
    if (!own) return { state: 'differs', detail: 'the device does not show its priority array' };
    if (!isEmpty) return { state: 'differs', detail: `priority ${held.length} still holds a value` };
    return { state: 'done', ...(inForce ? { detail: inForce } : {}) };
  }
  if (own && (isEmpty || engineeringOf(own, ref) !== expected)) {
    const holds = isEmpty ? 'nothing' : String(engineeringOf(own, ref));
    return { state: 'differs', detail: `priority ${held.length} holds ${holds}` };
  }
  if (shown === expected) return { state: 'done' };
  if (inForce) return { state: 'overridden', detail: inForce };
  return { state: 'differs', detail: `it shows ${shown ?? 'no number'}` };
}
