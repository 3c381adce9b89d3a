/** Clients remembered that nobody configured; strangers may call themselves anything. */
const MAX_SEEN = 500;

/** A client that came to the broker. */
export interface Visitor {
  readonly username: string;
  readonly clientId: string;
  /** IP address it came from. */
  readonly address: string;
  /** Unix ms of its last coming. */
  readonly at: number;
  /** Why it was not let in; undefined when it was. */
  readonly refusal?: string;
}

/** Everyone who knocked, for whoever looks for devices. */
export interface Seen {
  note(visitor: Visitor): void;
  /** One of each user and address, the last coming of each. */
  list(): readonly Visitor[];
  /** @returns a function that ends it. */
  follow(onVisitor: (visitor: Visitor) => void): () => void;
}

export function createSeen(): Seen {
  const visitors = new Map<string, Visitor>();
  const followers = new Set<(visitor: Visitor) => void>();
  return {
    note(given) {
      const cut = (text: string): string => text.slice(0, 100);
      const visitor = { ...given, username: cut(given.username), clientId: cut(given.clientId) };
      const key = JSON.stringify([visitor.username, visitor.address]);
      visitors.delete(key);
      visitors.set(key, visitor);
      if (visitors.size > MAX_SEEN) visitors.delete(visitors.keys().next().value!);
      for (const follower of [...followers]) follower(visitor);
    },
    list: () => [...visitors.values()],
    follow(onVisitor) {
      followers.add(onVisitor);
      return () => void followers.delete(onVisitor);
    },
  };
}
