import {
  type Driver,
  DriverError,
  type DriverLog,
  type Found,
  type PointRef,
  type Sample,
} from '@parkline/kit';
import type { Address } from './address.ts';
import type { Dialect } from './dialect.ts';
import type { Member } from './members.ts';
import { decodePoint, pathsOf, stepInto } from './payload.ts';
import type { Follower, Station, Told } from './station.ts';
import { createUnheard } from './unheard.ts';
import { type Outlet, writePoint } from './writing.ts';

/** Paths listed of one topic. */
const MAX_PATHS = 200;

export interface MqttDriverDeps {
  readonly member: Pick<Member, 'station' | 'dialect' | 'close' | 'reopen'>;
  readonly outlet: Outlet;
  /** Opens the broker, if it is not open. @returns Unix ms since when it is. */
  readonly open: () => Promise<number>;
  /** For the device to connect after the broker opened, and to tell something after it connected. */
  readonly timeoutMs: number;
  readonly maxAgeMs: number;
  /** For the device to show what was written. */
  readonly confirmMs: number;
  readonly now: () => number;
  readonly log: DriverLog;
  /** Nobody reads the device any more. */
  readonly onClose: () => void;
  /** Broker and device, for the person who reads an error. */
  readonly where: string;
}

/** A point whose address was understood. */
interface Readable {
  readonly ref: PointRef;
  readonly address: Address;
}

/** One device that tells its values to the gateway's broker. It cannot be asked: a read gives what it told last. */
export function createMqttDriver(deps: MqttDriverDeps): Driver {
  const { member, now, where, maxAgeMs } = deps;
  const { station, dialect } = member;
  const addresses = new Map<string, Address | DriverError>();
  const unheard = createUnheard(station, () =>
    deps.log.warn({ where }, 'mqtt messages dropped: nobody listens'),
  );
  let closing = new AbortController();
  /** Closing hung up on the device; it has the time to come again from here on. */
  let reopened = { at: 0, visits: 0 };

  const fail = (code: DriverError['code'], message: string): DriverError =>
    new DriverError(code, message, where);
  const absent = (): DriverError =>
    fail('lost', ['the device is not connected', station.refusal()].filter(Boolean).join(': '));
  // A clock that was set back by more than the age says nothing about it.
  const isFresh = (told: Told | undefined): told is Told =>
    told !== undefined && Math.abs(now() - told.receivedAt) <= maxAgeMs;

  function readableOf(ref: PointRef): Readable | DriverError {
    const address = addresses.get(ref.address) ?? tryParse(dialect, ref.address);
    addresses.set(ref.address, address);
    return address instanceof DriverError ? address : { ref, address };
  }

  /** Opens the broker. Rejects when `signal` aborted meanwhile or the driver was closed. */
  async function open(signal: AbortSignal): Promise<number> {
    const check = (): void => {
      if (signal.aborted) throw fail('aborted', 'gave up');
      if (closing.signal.aborted) throw fail('lost', 'the device was closed');
    };
    check();
    const openedAt = await deps.open();
    check();
    return Math.max(openedAt, reopened.at);
  }

  /** Waits while a device that has only just had the chance may still connect and tell `topics`. */
  async function settle(openedAt: number, topics: readonly string[], signal: AbortSignal): Promise<void> {
    for (;;) {
      const isOnline = station.isOnline();
      const hasCome = station.onlineSince() >= openedAt && station.visits() > reopened.visits;
      const hasLeft = !isOnline && hasCome;
      const isTold = topics
        .map((topic) => station.last(topic))
        .every((told) => told && station.hasStayed(told));
      const waitedMs = now() - (isOnline ? station.onlineSince() : openedAt);
      const isOver = waitedMs >= deps.timeoutMs || waitedMs < 0; // A clock that was set back must not prolong it.
      if (hasLeft || (isOnline && isTold) || isOver) return;
      await nextNews(station, deps.timeoutMs - waitedMs, AbortSignal.any([signal, closing.signal]));
      await open(signal);
    }
  }

  function sampleOf({ ref, address }: Readable, beganAt: number): Sample {
    const told = station.last(address.subtopic);
    if (!told) return bad(ref, `nothing was told on ${address.subtopic}`, now(), beganAt);
    if (!isFresh(told)) return bad(ref, `told more than ${maxAgeMs} ms ago`, now(), beganAt);
    // A count stands for the moment it was told, and for no quarter hour after that.
    const [at, began] = ref.kind === 'register' ? [told.at, told.at] : [now(), beganAt];
    const sample = decoded(ref, address, told, at, began, dialect);
    if (sample.quality !== 'good' || station.hasStayed(told)) return sample;
    return { ...sample, quality: 'uncertain', why: 'told before the device was away' };
  }

  async function read(refs: readonly PointRef[], signal: AbortSignal): Promise<Sample[]> {
    const beganAt = now();
    const openedAt = await open(signal);
    const points = refs.map(readableOf);
    const topics = [...new Set(points.flatMap((point) => ('ref' in point ? [point.address.subtopic] : [])))];
    if (topics.length > 0) {
      await settle(openedAt, topics, signal);
      if (!station.isOnline()) throw absent();
      if (!topics.some((topic) => isFresh(station.last(topic))))
        throw fail('timeout', `the device is connected and has told nothing for ${maxAgeMs} ms`);
    }
    return points.map((point, index) =>
      'ref' in point ? sampleOf(point, beganAt) : bad(refs[index]!, point.message, now(), beganAt),
    );
  }

  async function subscribe(
    refs: readonly PointRef[],
    onSample: (sample: Sample) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await open(signal);
    const points = refs.map(readableOf).filter((point) => 'ref' in point);
    const tell = (subtopic: string, told: Told): void => {
      for (const { ref, address } of points)
        if (address.subtopic === subtopic) onSample(decoded(ref, address, told, told.at, told.at, dialect));
      told.kept?.passed();
    };
    const lost = Promise.withResolvers<never>();
    const follower: Follower = {
      told: tell,
      presence(isOnline) {
        if (!isOnline) lost.reject(fail('lost', 'the device is not connected any more'));
      },
    };
    const missed = unheard.take();
    const leave = station.follow(follower);
    try {
      for (const { name, told } of missed) tell(name, told);
      for (const topic of station.names()) {
        const told = station.last(topic);
        if (isFresh(told) && station.hasStayed(told) && !missed.some((one) => one.told === told))
          tell(topic, told);
      }
      await Promise.race([aborted(AbortSignal.any([signal, closing.signal])), lost.promise]);
      if (!signal.aborted) throw fail('lost', 'the device was closed');
    } finally {
      leave();
      // The edge asks again in a while, and a device that is back sooner does not wait for that.
      if (!signal.aborted && !closing.signal.aborted) unheard.keep();
    }
  }

  return {
    async connect(signal) {
      member.reopen();
      if (closing.signal.aborted) reopened = { at: now(), visits: station.visits() };
      closing = new AbortController();
      await settle(await open(signal), [], signal);
      if (!station.isOnline()) throw absent();
    },
    async *browse(signal) {
      await settle(await open(signal), [], signal);
      for (const subtopic of station.names()) yield* foundIn(subtopic, station.last(subtopic), dialect);
    },
    read: async (refs, signal) => (refs.length === 0 ? [] : read(refs, signal)),
    subscribe,
    async write(order, signal) {
      await open(signal);
      const address = dialect.parse(order.ref.address);
      return writePoint(
        order,
        address,
        { ...deps, station, dialect },
        AbortSignal.any([signal, closing.signal]),
      );
    },
    close() {
      closing.abort();
      unheard.take();
      member.close();
      deps.onClose();
      return Promise.resolve();
    },
  };
}

/** A wrong address concerns its point alone. */
function tryParse(dialect: Dialect, text: string): Address | DriverError {
  try {
    return dialect.parse(text);
  } catch (error) {
    if (error instanceof DriverError) return error;
    throw error;
  }
}

function decoded(
  ref: PointRef,
  { path }: Address,
  { document }: Told,
  at: number,
  beganAt: number,
  { words }: Dialect,
): Sample {
  const result = decodePoint(document, path, ref, words);
  if (!result.ok) return bad(ref, result.why, at, beganAt);
  return { pointId: ref.pointId, at, beganAt, value: result.value, quality: 'good' };
}

const bad = ({ pointId }: PointRef, why: string, at: number, beganAt: number): Sample => ({
  ...{ pointId, at, beganAt, value: null, quality: 'bad', why },
});

function* foundIn(subtopic: string, told: Told | undefined, dialect: Dialect): Generator<Found> {
  for (const path of told ? pathsOf(told.document, MAX_PATHS, dialect.words) : []) {
    const place = { subtopic, path };
    const label = path.length === 0 ? subtopic : `${subtopic} ${path.join(' ')}`;
    const value = told && valueAt(told, path);
    const facts = { value: String(value), at: new Date(told?.at ?? 0).toISOString() };
    yield { address: dialect.format(place), label, writable: dialect.isWritable(place), facts };
  }
}

const valueAt = ({ document }: Told, path: readonly string[]): unknown =>
  document.ok ? stepInto(document.value, path) : document.text;

/** Resolves when the device comes, goes or tells something, after `ms`, or when `signal` aborts. */
async function nextNews(station: Station, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const wake = (): void => {
    resolve(undefined);
  };
  const leave = station.follow({ told: wake, presence: wake });
  const timer = setTimeout(wake, ms);
  signal.addEventListener('abort', wake, { once: true });
  if (signal.aborted) wake();
  try {
    await promise;
  } finally {
    leave();
    clearTimeout(timer);
    signal.removeEventListener('abort', wake);
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
