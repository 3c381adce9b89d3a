/** The part of EventSource that is used, so that a test can be the server. */
export interface StreamSource {
  readonly readyState: number;
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  addEventListener(type: string, listener: (event: { data: string }) => void): void;
  close(): void;
}

export interface StreamDeps {
  open(url: string): StreamSource;
  /** Calls back after `ms`; returns what cancels it. */
  later(ms: number, run: () => void): () => void;
  /** Told when the server refuses the stream, so that an ended session is noticed. */
  onRefused(): void;
}

/** `lost`: no event comes; it is tried again by itself. */
export type Link = 'connecting' | 'live' | 'lost';

/** The events to listen to, by name, with what takes their data. */
export type StreamEvents = Readonly<Record<string, (data: string) => void>>;

const closed = 2;
const firstWaitMs = 1_000;
const longestWaitMs = 30_000;

/** One event stream that comes back by itself, whatever ends it. `close` when nobody listens any more. */
export class EventStream {
  link = $state<Link>('connecting');
  readonly #url: string;
  readonly #deps: StreamDeps;
  readonly #events: StreamEvents;
  #source: StreamSource | undefined;
  #cancelRetry: (() => void) | undefined;
  #waitMs = firstWaitMs;

  constructor(url: string, deps: StreamDeps, events: StreamEvents) {
    this.#url = url;
    this.#deps = deps;
    this.#events = events;
    this.#open();
  }

  close(): void {
    this.#cancelRetry?.();
    this.#source?.close();
  }

  #open(): void {
    const source = this.#deps.open(this.#url);
    this.#source = source;
    source.onopen = () => {
      this.link = 'live';
      this.#waitMs = firstWaitMs;
    };
    source.onerror = () => {
      this.link = 'lost';
      // A cut line the browser mends by itself; after a refusal (401, 503) it gives up for good.
      if (source.readyState === closed) this.#retry();
    };
    for (const [name, take] of Object.entries(this.#events)) {
      source.addEventListener(name, ({ data }) => take(data));
    }
  }

  #retry(): void {
    this.#deps.onRefused();
    this.#cancelRetry = this.#deps.later(this.#waitMs, () => this.#open());
    this.#waitMs = Math.min(2 * this.#waitMs, longestWaitMs);
  }
}

/** The browser's own stream and timer. */
export const browserStream: Pick<StreamDeps, 'open' | 'later'> = {
  open: (url) => new EventSource(url) as StreamSource,
  later: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
