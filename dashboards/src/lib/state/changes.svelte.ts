import type { Changed, ChangeTopic } from '@parkline/contract';
import { createContext } from 'svelte';
import { hrefOf } from '../api/client.ts';
import { EventStream, type Link, type StreamDeps } from './event-stream.svelte.ts';

export interface ChangesDeps extends StreamDeps {
  /** Calls back every `ms`; returns what ends it. */
  every(ms: number, run: () => void): () => void;
}

interface Listener {
  readonly topics: readonly ChangeTopic[];
  /** Reads anew; calls that come while it runs become one more call after it. */
  tell(): void;
}

/** How often lists are read while no news comes by itself. */
const pollMs = 10_000;

/**
 * News that something changed, from the server as it happens. Who listens reads its list again: the stream carries no
 * content, and begins with every topic, so that nothing is missed between two connections. While it is down, every
 * listener is told at intervals instead. Lives as long as the tab; `open` when somebody is logged in.
 */
export class Changes {
  #stream = $state.raw<EventStream>();
  readonly #deps: ChangesDeps;
  // Nothing is drawn from it.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  readonly #listeners = new Set<Listener>();
  #close: (() => void) | undefined;

  constructor(deps: ChangesDeps) {
    this.#deps = deps;
  }

  /** Undefined while nobody asked for news. */
  get link(): Link | undefined {
    return this.#stream?.link;
  }

  open(): void {
    if (this.#close) return;
    const stream = new EventStream(hrefOf('streamChanges'), this.#deps, {
      changed: (data) => {
        const { topics } = JSON.parse(data) as Changed;
        this.#tell((listener) => listener.topics.some((topic) => topics.includes(topic)));
      },
    });
    const endPoll = this.#deps.every(pollMs, () => {
      if (stream.link !== 'live') this.#tell(() => true);
    });
    this.#stream = stream;
    this.#close = () => {
      endPoll();
      stream.close();
    };
  }

  close(): void {
    this.#close?.();
    this.#close = undefined;
    this.#stream = undefined;
  }

  /** Calls `read` whenever one of the topics may have changed, never twice at once. Returns what ends it. */
  on(topics: readonly ChangeTopic[], read: () => Promise<unknown>): () => void {
    const listener = { topics, tell: oneAtATime(read) };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(concerns: (listener: Listener) => boolean): void {
    for (const listener of this.#listeners) if (concerns(listener)) listener.tell();
  }
}

/** Without it, news that come faster than the answer would end each reading before it is done. */
function oneAtATime(read: () => Promise<unknown>): () => void {
  let running = false;
  let again = false;
  const run = async () => {
    running = true;
    do {
      again = false;
      await read();
    } while (again);
  };
  return () => {
    if (running) again = true;
    else void run().finally(() => (running = false));
  };
}

export const [getChanges, setChanges] = createContext<Changes>();
