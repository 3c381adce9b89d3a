import type { Kept } from './inbox.ts';
import type { Document } from './payload.ts';

/** The last a device told under one name. */
export interface Told {
  /** Unix ms by the gateway's clock. */
  readonly receivedAt: number;
  /** Unix ms: the device's own time where it can be believed. */
  readonly at: number;
  readonly document: Document;
  /** Counts how often the device had come by then; -1 for what it told to somebody else once. */
  readonly visit: number;
  /** The message on the disk; on the last of its values. */
  readonly kept?: Kept;
}

/** Something a device tells: under a topic, or as a metric. */
export interface News {
  readonly name: string;
  readonly at: number;
  readonly receivedAt: number;
  readonly document: Document;
}

/** What may happen to a device, for those who follow it. */
export interface Follower {
  told?(name: string, told: Told): void;
  /** It came or went. */
  presence?(isOnline: boolean): void;
}

/** One device as the gateway sees it: whether it is there, and what was told. */
export interface Station {
  isOnline(): boolean;
  /** Unix ms of the last coming. */
  onlineSince(): number;
  /** How often it came. */
  visits(): number;
  last(name: string): Told | undefined;
  /** Whether the device was there all the time since it told this. */
  hasStayed(told: Told): boolean;
  /** Whether this name is remembered, or may still be. */
  hasRoom(name: string): boolean;
  names(): readonly string[];
  /** @returns a function that ends it. */
  follow(follower: Follower): () => void;
  /** A connection of the device opened; `gone` when it closed. */
  came(): { gone(): void };
  /** What the device says of itself: that it is there, or leaves. */
  says(isThere: boolean): void;
  /** A message. @returns false when it named one thing too many. */
  heard(news: readonly News[], kept?: Kept): boolean;
  /** What was told before anyone listened, such as a retained message: it stands, uncertain, until it is told again. */
  recall(news: News): void;
  /** Why the device was not let in, for the person who looks for it; undefined when it came since. */
  refusal(): string | undefined;
  refused(why: string): void;
}

/** @param room Names remembered; a device that invents some must not fill our memory. */
export function createStation(now: () => number, room = 100): Station {
  const followers = new Set<Follower>();
  const told = new Map<string, Told>();
  const sessions = new Set<object>();
  let hasLeft = false;
  let since = 0;
  let visit = 0;
  let refusal: string | undefined;

  const hasRoom = (name: string): boolean => told.has(name) || told.size < room;
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

  function came(): { gone(): void } {
    const session = {};
    track(() => {
      sessions.add(session);
      hasLeft = false;
      refusal = undefined;
    });
    return {
      gone() {
        track(() => sessions.delete(session));
      },
    };
  }

  function heard(news: readonly News[], kept?: Kept): boolean {
    const known = news.filter(({ name }) => hasRoom(name));
    if (known.length === 0) kept?.passed();
    known.forEach(({ name, ...rest }, index) => {
      const isLast = index === known.length - 1;
      const one: Told = { ...rest, visit, ...(kept && isLast && { kept }) };
      told.set(name, one);
      for (const follower of [...followers]) follower.told?.(name, one);
    });
    return known.length === news.length;
  }

  return {
    isOnline,
    hasRoom,
    came,
    heard,
    onlineSince: () => since,
    visits: () => visit,
    last: (name) => told.get(name),
    hasStayed: (one) => one.visit === visit && isOnline(),
    names: () => [...told.keys()],
    follow(follower) {
      followers.add(follower);
      return () => void followers.delete(follower);
    },
    says: (isThere) => track(() => (hasLeft = !isThere)),
    recall({ name, ...rest }) {
      if (!told.has(name) && hasRoom(name)) told.set(name, { ...rest, visit: -1 });
    },
    refusal: () => refusal,
    refused: (why) => void (refusal = why),
  };
}
