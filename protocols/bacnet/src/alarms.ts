import { type DeviceEvent, DriverError, type DriverLog } from '@parkline/kit';
import { formatAddress, type ObjectId, objectNumbers } from './address.ts';
import type { DeviceClock } from './device-clock.ts';
import {
  changeRecipients,
  type EventNotification,
  type EventSummary,
  getEventInformation,
  type Recipient,
} from './event-service.ts';
import type { Link } from './link.ts';
import { readObjectList } from './objects.ts';
import { confirmIdentity } from './reader.ts';
import { Refusal } from './refusal.ts';
import { createWake } from './wake.ts';

export interface AlarmDeps {
  readonly link: Link;
  /** Of the device. */
  readonly instance: number;
  /** Whether to go on the recipient lists of the device's notification classes. */
  readonly isSubscribing: boolean;
  /** How often the device is asked what is not normal, ms. */
  readonly pollMs: number;
  /** For taking leave, ms. */
  readonly timeoutMs: number;
  /** Where the device reaches us; undefined where it cannot be named, behind a router. */
  readonly recipient: () => Promise<Recipient | undefined>;
  readonly clock: (signal: AbortSignal) => Promise<DeviceClock>;
  readonly now: () => number;
  readonly log: DriverLog;
}

/** An object that was told of last as not normal, or as normal again. */
interface Known {
  readonly state: DeviceEvent['state'];
  /** Unix ms by the device's clock; undefined where it told none. */
  readonly at: number | undefined;
}

const ACKNOWLEDGED = 2;
const NORMAL = 0;
const FAULT = 1;
/** BACnetEventState, clause 21. */
const stateWords: Readonly<Record<number, string>> = {
  0: 'normal',
  1: 'fault',
  2: 'off normal',
  3: 'high limit',
  4: 'low limit',
  5: 'life safety alarm',
};
/** How often the lists are seen to: a device may have lost them. */
const LISTS_MS = 600_000;
/** A device that goes on for ever is cut off. */
const MOST_PAGES = 1_000;

const stateOf = (state: number): DeviceEvent['state'] =>
  state === NORMAL ? 'normal' : state === FAULT ? 'fault' : 'alarm';

/**
 * Tells what the device reports (clause 13) until `signal` aborts: notifications as they come, and what it says to GetEventInformation
 * at the start and regularly, so that what was lost on its way is told all the same. Rejects with 'lost' when the device was closed.
 */
export async function runAlarms(
  deps: AlarmDeps,
  onEvent: (event: DeviceEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const { link } = deps;
  const wake = createWake(signal);
  const book = createBook(deps.now, onEvent);
  const clock = await waitFor(() => deps.clock(signal), deps.pollMs, wake, signal);
  if (!clock) return;
  const lists = createLists(deps);
  const ends = [
    link.onEvent((event) => book.hear(event, clock)),
    link.onReturn(() => {
      lists.forget();
      wake.now();
    }),
  ];
  try {
    while (!signal.aborted) {
      await tolerant(deps, () => lists.join(signal));
      await tolerant(deps, async () => book.compare(await readEvents(deps, signal), clock));
      await wake.after(deps.pollMs);
    }
  } finally {
    for (const end of ends) end();
  }
  await tolerant(deps, () => lists.leave(AbortSignal.timeout(deps.timeoutMs)));
}

/** Until the device can be asked. @returns undefined when the signal aborts. */
async function waitFor<T>(
  work: () => Promise<T>,
  pauseMs: number,
  wake: ReturnType<typeof createWake>,
  signal: AbortSignal,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DriverError) || error.code === 'config') throw error;
    }
    await wake.after(pauseMs);
  }
  return undefined;
}

/** A device that is away or refuses is asked again at the next turn. Rejects with 'lost' when it was closed. */
async function tolerant({ link, log }: AlarmDeps, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DriverError) && !(error instanceof Refusal)) throw error;
    if (link.isClosed) throw error;
    log.debug({ where: link.where, err: error }, 'events not read');
  }
}

/** Everything that is not normal or not acknowledged, page by page. */
async function readEvents({ link, instance }: AlarmDeps, signal: AbortSignal): Promise<EventSummary[]> {
  const all: EventSummary[] = [];
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const { events, hasMore } = await link.ask(async (station) => {
      await confirmIdentity(station, instance);
      return getEventInformation(station, all.at(-1)?.object);
    }, signal);
    all.push(...events);
    if (!hasMore || events.length === 0) break;
  }
  return all;
}

/** What is known of each object's state, so that each change is told once, from whichever side it is heard first. */
function createBook(now: () => number, onEvent: (event: DeviceEvent) => void) {
  const known = new Map<string, Known>();

  /** @param isNow It is so now, whatever the device's clock says, which may have been set back. */
  function note(object: ObjectId, state: number, at: number | undefined, text: string, isNow = false): void {
    const address = formatAddress(object);
    const before = known.get(address) ?? { state: 'normal', at: undefined };
    const isChange = isNow && stateOf(state) !== before.state;
    const isOlder = at !== undefined && before.at !== undefined && at < before.at && !isChange;
    const isSame = stateOf(state) === before.state && (at === undefined || at === before.at);
    if (isOlder || isSame) return;
    known.set(address, { state: stateOf(state), at });
    onEvent({ at: at ?? now(), address, state: stateOf(state), text });
  }

  return {
    /** @returns true: whatever it is, it is heard. */
    hear({ object, local, notifyType, toState, text }: EventNotification, clock: DeviceClock): boolean {
      if (notifyType === ACKNOWLEDGED || toState === undefined) return true;
      const at = local === undefined ? undefined : clock.toUtc(local);
      note(object, toState, at, text || wordsOf(toState));
      return true;
    },
    compare(summaries: readonly EventSummary[], clock: DeviceClock): void {
      const named = new Set<string>();
      for (const { object, state, local } of summaries) {
        named.add(formatAddress(object));
        const [toAlarm, toFault, toNormal] = local;
        const changed = state === NORMAL ? toNormal : state === FAULT ? toFault : toAlarm;
        const at = changed === undefined ? undefined : clock.toUtc(changed);
        note(object, state, at, wordsOf(state), true);
      }
      for (const [address, { state }] of known) {
        if (state === 'normal' || named.has(address)) continue;
        known.set(address, { state: 'normal', at: undefined });
        onEvent({ at: now(), address, state: 'normal', text: wordsOf(NORMAL) });
      }
    },
  };
}

const wordsOf = (state: number): string => stateWords[state] ?? `event state ${state}`;

/** Our place on the recipient lists of the device's notification classes. */
function createLists({ link, instance, isSubscribing, recipient, now, log }: AlarmDeps) {
  let joined: { readonly object: ObjectId; readonly recipient: Recipient }[] = [];
  let seenAt: number | undefined;

  const change = (
    kind: 'addListElement' | 'removeListElement',
    object: ObjectId,
    who: Recipient,
    signal: AbortSignal,
  ) =>
    link.ask(async (station) => {
      await confirmIdentity(station, instance);
      await changeRecipients(station, kind, object, who);
    }, signal);

  return {
    forget: () => void (seenAt = undefined),
    async join(signal: AbortSignal): Promise<void> {
      if (!isSubscribing || (seenAt !== undefined && now() - seenAt < LISTS_MS)) return;
      const who = await recipient();
      const objects = who ? await readObjectList(link, instance, signal) : [];
      joined = [];
      for (const object of objects.filter(({ type }) => type === objectNumbers.notificationClass)) {
        try {
          await change('addListElement', object, who!, signal);
          joined.push({ object, recipient: who! });
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          log.debug({ where: link.where, object, err: error }, 'recipient list refused; events are polled');
        }
      }
      seenAt = now();
    },
    async leave(signal: AbortSignal): Promise<void> {
      for (const { object, recipient: who } of joined) await change('removeListElement', object, who, signal);
    },
  };
}
