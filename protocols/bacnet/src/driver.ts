import { type Driver, DriverError, type DriverLog, type PointRef, type Sample } from '@parkline/kit';
import { type Address, parseAddress, properties } from './address.ts';
import { runAlarms } from './alarms.ts';
import { type CovPoint, runCov } from './cov.ts';
import { type DeviceClock, readDeviceClock } from './device-clock.ts';
import { readHistory } from './history.ts';
import type { Link } from './link.ts';
import { browse } from './objects.ts';
import type { DeviceParams } from './params.ts';
import type { PropertyRef, Wanted } from './read-property.ts';
import { createPropertyReader, keyOf, type Outcomes, valuesFrom } from './reader.ts';
import { Refusal } from './refusal.ts';
import type { Peer } from './socket.ts';
import { type Flags, flagsOf, type Verdict, verdictOf } from './value.ts';
import { writePoint } from './write.ts';

export interface BacnetDriverDeps {
  readonly link: Link;
  readonly params: DeviceParams;
  readonly timeoutMs: number;
  /** Where the device reaches us; undefined where it cannot be named, behind a router. */
  readonly ownPlace: () => Promise<Peer | undefined>;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: DriverLog;
}

const PRESENT_VALUE = properties['present-value'];
const STATUS_FLAGS: PropertyRef = { id: properties['status-flags'] };
const RELIABILITY: PropertyRef = { id: properties.reliability };
/** Of all our entries on recipient lists, so that a gateway that starts again finds its own. */
const ALARM_PROCESS = 1;

/** One device: what it shows, takes, keeps and reports. The link finds the device and serialises its requests; this adds meaning. */
export function createBacnetDriver(deps: BacnetDriverDeps): Driver {
  const { link, params, now } = deps;
  const reader = createPropertyReader(link, params.device);
  const known = new Map<string, Address | DriverError>();

  function addressOf(text: string): Address | DriverError {
    const found = known.get(text) ?? tryParse(text);
    known.set(text, found);
    return found;
  }

  function refuseIfOver(signal: AbortSignal): void {
    if (link.isClosed) throw new DriverError('lost', 'the device was closed', link.where);
    if (signal.aborted) throw new DriverError('aborted', 'given up', link.where);
  }

  /** Its zone may change with the season, so it is asked anew for each history. */
  const clock = (signal: AbortSignal): Promise<DeviceClock> =>
    readDeviceClock({ reader, instance: params.device, now, timeZone: params.timeZone }, signal);

  /** Points whose address can be read, and samples that say why for the others. */
  function sort(refs: readonly PointRef[]): { points: CovPoint[]; wrong: Map<PointRef, string> } {
    const points: CovPoint[] = [];
    const wrong = new Map<PointRef, string>();
    for (const ref of refs) {
      const address = addressOf(ref.address);
      if (address instanceof DriverError) wrong.set(ref, address.message);
      else points.push({ ref, address });
    }
    return { points, wrong };
  }

  /** Why the objects that tell of a fault are at fault, as far as they say. */
  async function readFaults(
    points: readonly CovPoint[],
    outcomes: Outcomes,
    signal: AbortSignal,
  ): Promise<Outcomes> {
    const faulty = points.filter(({ address }) => flagsIn(outcomes, address)?.isFault);
    return reader.read(wantedOf(faulty, [RELIABILITY]), signal);
  }

  return {
    async connect(signal) {
      link.open();
      await link.find(signal);
    },
    async *browse(signal) {
      try {
        yield* browse(link, params.device, reader, signal);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        throw new DriverError('refused', `object list: ${error.message}`, link.where, { cause: error });
      }
    },
    async read(refs, signal) {
      refuseIfOver(signal);
      const beganAt = now();
      const { points, wrong } = sort(refs);
      if (points.length > 0) await link.find(signal); // The size of requests is the device's.
      const outcomes = await reader.read(wantedOf(points), signal);
      const faults = await readFaults(points, outcomes, signal);
      const at = now();
      return refs.map(({ pointId }, n): Sample => {
        const ref = refs[n]!;
        const times = { pointId, at, beganAt };
        const why = wrong.get(ref);
        if (why !== undefined) return { ...times, value: null, quality: 'bad', why };
        return { ...times, ...verdictIn(outcomes, faults, ref, addressOf(ref.address) as Address) };
      });
    },
    async subscribe(refs, onSample, signal) {
      if (params.cov === 'off') return untilAborted(signal);
      const { timeoutMs, random, log } = deps;
      const isConfirmed = params.cov === 'confirmed';
      const cov = { link, isConfirmed, lifetimeS: params.covLifetimeS, timeoutMs, now, random, log };
      await runCov(cov, sort(refs).points, onSample, signal);
    },
    async write(order, signal) {
      refuseIfOver(signal);
      return writePoint(
        { link, reader, instance: params.device, now },
        parseAddress(order.ref.address),
        order,
        signal,
      );
    },
    history: (ref, from, to, signal) =>
      readHistory({ link, instance: params.device, clock }, ref, from, to, signal),
    async watchEvents(onEvent, signal) {
      const place = deps.ownPlace;
      const recipient = async () => {
        const found = await place();
        return found && { ...found, processId: ALARM_PROCESS };
      };
      const { timeoutMs, log } = deps;
      const alarms = {
        ...{ link, instance: params.device, timeoutMs, recipient, clock, now, log },
        ...{ isSubscribing: params.alarms === 'subscribe', pollMs: params.alarmPollS * 1_000 },
      };
      await runAlarms(alarms, onEvent, signal);
    },
    close() {
      link.close();
      return Promise.resolve();
    },
  };
}

/** What to ask for, one entry for each object in order of first mention; a present value comes with its flags. */
function wantedOf(points: readonly CovPoint[], only?: readonly PropertyRef[]): Wanted[] {
  const wanted = new Map<string, { type: number; instance: number; properties: PropertyRef[] }>();
  for (const { address } of points) {
    const { type, instance } = address;
    const property = propertyOf(address);
    const needed = only ?? (isPresentValue(address) ? [property, STATUS_FLAGS] : [property]);
    const key = `${type},${instance}`;
    const entry = wanted.get(key) ?? { type, instance, properties: [] };
    for (const each of needed) {
      const isThere = entry.properties.some(({ id, index }) => id === each.id && index === each.index);
      if (!isThere) entry.properties.push(each);
    }
    wanted.set(key, entry);
  }
  return [...wanted.values()];
}

const isPresentValue = ({ property, index }: Address): boolean =>
  property === PRESENT_VALUE && index === undefined;
const propertyOf = ({ property, index }: Address): PropertyRef =>
  index === undefined ? { id: property } : { id: property, index };

/** Objects without flags have nothing to say against their value. */
const flagsIn = (outcomes: Outcomes, address: Address): Flags | undefined =>
  isPresentValue(address) ? flagsOf(valuesFrom(outcomes, address, STATUS_FLAGS)) : undefined;

function verdictIn(outcomes: Outcomes, faults: Outcomes, ref: PointRef, address: Address): Verdict {
  const outcome = outcomes.get(keyOf(address, propertyOf(address)));
  if (!outcome?.ok) return { value: null, quality: 'bad', why: outcome?.why ?? 'not answered' };
  const reliability = valuesFrom(faults, address, RELIABILITY)?.[0]?.value;
  const reason = typeof reliability === 'number' ? reliability : undefined;
  return verdictOf(outcome.values, ref, flagsIn(outcomes, address), reason);
}

/** A wrong address concerns its point alone; it comes back bad with the reason, and its neighbours are read. */
function tryParse(text: string): Address | DriverError {
  try {
    return parseAddress(text);
  } catch (error) {
    if (error instanceof DriverError) return error;
    throw error;
  }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
