import { type Driver, DriverError, type DriverLog, type PointRef, type Sample } from '@parkline/kit';
import { type Address, parseAddress, properties } from './address.ts';
import { type CovPoint, runCov } from './cov.ts';
import type { Link } from './link.ts';
import { browse } from './objects.ts';
import type { DeviceParams } from './params.ts';
import { createPropertyReader, keyOf, type Outcomes, type Wanted } from './reader.ts';
import { Refusal } from './refusal.ts';
import { type Flags, flagsOf, verdictOf } from './value.ts';

export interface BacnetDriverDeps {
  readonly link: Link;
  readonly params: DeviceParams;
  readonly timeoutMs: number;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: DriverLog;
}

const PRESENT_VALUE = properties['present-value'];
const STATUS_FLAGS = properties['status-flags'];
const RELIABILITY = properties.reliability;

/** Reads one device and hears its changes. The link finds the device and serialises its requests; this adds meaning. */
export function createBacnetDriver(deps: BacnetDriverDeps): Driver {
  const { link, params, now } = deps;
  const reader = createPropertyReader(link, params.device);
  const known = new Map<string, Address | DriverError>();

  function addressOf(text: string): Address | DriverError {
    const found = known.get(text) ?? tryParse(text);
    known.set(text, found);
    return found;
  }

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
      if (link.isClosed) throw new DriverError('lost', 'the device was closed', link.where);
      if (signal.aborted) throw new DriverError('aborted', 'given up', link.where);
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
    close() {
      link.close();
      return Promise.resolve();
    },
  };
}

/** What to ask for, one entry for each object in order of first mention; a present value comes with its flags. */
function wantedOf(points: readonly CovPoint[], only?: readonly number[]): Wanted[] {
  const wanted = new Map<string, Wanted>();
  for (const { address } of points) {
    const { type, instance, property } = address;
    const needed = only ?? (property === PRESENT_VALUE ? [property, STATUS_FLAGS] : [property]);
    const key = keyOf(address, 0);
    const already = wanted.get(key)?.properties ?? [];
    wanted.set(key, { type, instance, properties: [...new Set([...already, ...needed])] });
  }
  return [...wanted.values()];
}

function flagsIn(outcomes: Outcomes, address: Address): Flags | undefined {
  if (address.property !== PRESENT_VALUE) return undefined;
  const flags = outcomes.get(keyOf(address, STATUS_FLAGS));
  return flags?.ok ? flagsOf(flags.values) : undefined; // Objects without flags have nothing to say against their value.
}

function verdictIn(outcomes: Outcomes, faults: Outcomes, ref: PointRef, address: Address) {
  const outcome = outcomes.get(keyOf(address, address.property));
  if (!outcome?.ok) return { value: null, quality: 'bad', why: outcome?.why ?? 'not answered' } as const;
  const fault = faults.get(keyOf(address, RELIABILITY));
  const reliability = fault?.ok ? Number(fault.values[0]?.value) : undefined;
  return verdictOf(outcome.values, ref, flagsIn(outcomes, address), reliability);
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
