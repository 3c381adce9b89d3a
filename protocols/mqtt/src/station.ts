import { type Document, parsePayload, sourceTime } from './payload.ts';

/** Topics remembered of one device; a device that invents names must not fill our memory. */
const MAX_TOPICS = 100;

/** The last a device told under one topic. */
export interface Told {
  /** Unix ms by the gateway's clock. */
  readonly receivedAt: number;
  /** Unix ms: the device's own time where it can be believed. */
  readonly at: number;
  readonly document: Document;
  /** Counts how often the device had come by then. */
  readonly visit: number;
}

/** What may happen to a device, for those who follow it. */
export interface Follower {
  told?(subtopic: string, told: Told): void;
  /** It came or went. */
  presence?(isOnline: boolean): void;
}

/** One device as its broker sees it: who is connected in its name, and what was told. */
export interface Station {
  isOnline(): boolean;
  /** Unix ms of the last coming. */
  onlineSince(): number;
  last(subtopic: string): Told | undefined;
  /** Whether the device was there all the time since it told this. */
  hasStayed(told: Told): boolean;
  /** Whether this topic is remembered, or may still be. */
  hasRoom(subtopic: string): boolean;
  topics(): readonly string[];
  /** @returns a function that ends it. */
  follow(follower: Follower): () => void;
  /** A connection of the device opened; `gone` when it closed. */
  came(): { gone(): void };
  /** A message of a connection that is open. @returns false when it was one topic too many. */
  heard(subtopic: string, payload: Uint8Array): boolean;
}

/** The topic by which a device tells that it is there ("1") or leaves ("0"), also as its last will. */
export const PRESENCE = 'online';

export function createStation(now: () => number): Station {
  const followers = new Set<Follower>();
  const told = new Map<string, Told>();
  const sessions = new Set<object>();
  let hasLeft = false;
  let since = 0;
  let visit = 0;

  const hasRoom = (subtopic: string): boolean => told.has(subtopic) || told.size < MAX_TOPICS;
  const isOnline = (): boolean => sessions.size > 0 && !hasLeft;

  /** Tells the followers if `change` made the device come or go. */
  function track(change: () => void): void {
    const before = isOnline();
    change();
    if (isOnline() === before) return;
    if (!before) {
      since = now();
      visit += 1;
    }
    for (const follower of [...followers]) follower.presence?.(!before);
  }

  return {
    isOnline,
    hasRoom,
    onlineSince: () => since,
    last: (subtopic) => told.get(subtopic),
    hasStayed: (one) => one.visit === visit && isOnline(),
    topics: () => [...told.keys()],
    follow(follower) {
      followers.add(follower);
      return () => void followers.delete(follower);
    },
    came() {
      const session = {};
      track(() => {
        sessions.add(session);
        hasLeft = false;
      });
      return {
        gone() {
          track(() => sessions.delete(session));
        },
      };
    },
    heard(subtopic, payload) {
      const receivedAt = now();
      const document = parsePayload(payload);
      if (subtopic === PRESENCE) {
        const isLeaving = document.ok && (document.value === 0 || document.value === false);
        track(() => (hasLeft = isLeaving));
      }
      if (!hasRoom(subtopic)) return false;
      const news = { receivedAt, at: sourceTime(document, receivedAt), document, visit };
      told.set(subtopic, news);
      for (const follower of [...followers]) follower.told?.(subtopic, news);
      return true;
    },
  };
}
