import type { LiveSample } from '@parkline/contract';
import { SvelteMap } from 'svelte/reactivity';

/** The part of EventSource that is used, so that a test can be the server. */
export interface LiveSource {
  readonly readyState: number;
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  addEventListener(type: 'samples', listener: (event: { data: string }) => void): void;
  close(): void;
}

export interface LiveDeps {
  open(url: string): LiveSource;
  /** Calls back after `ms`; returns what cancels it. */
  later(ms: number, run: () => void): () => void;
  /** Told when the server refuses the stream, so that an ended session is noticed. */
  onRefused(): void;
  /** Every sample as it comes, for charts that keep a past. */
  onSample?(sample: LiveSample): void;
}

const closed = 2;
const firstWaitMs = 1_000;
const longestWaitMs = 30_000;

/** Latest sample per point, kept fresh over one event stream. One instance per page; `close` when the page leaves. */
export class LivePoints {
  readonly byId = new SvelteMap<string, LiveSample>();
  link = $state<'connecting' | 'live' | 'lost'>('connecting');
  #url: string;
  #deps: LiveDeps;
  #source: LiveSource | undefined;
  #cancelRetry: (() => void) | undefined;
  #waitMs = firstWaitMs;

  constructor(url: string, deps: LiveDeps) {
    this.#url = url;
    this.#deps = deps;
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
    source.addEventListener('samples', ({ data }) => {
      for (const sample of JSON.parse(data) as LiveSample[]) {
        this.byId.set(sample.pointId, sample);
        this.#deps.onSample?.(sample);
      }
    });
  }

  #retry(): void {
    this.#deps.onRefused();
    this.#cancelRetry = this.#deps.later(this.#waitMs, () => this.#open());
    this.#waitMs = Math.min(2 * this.#waitMs, longestWaitMs);
  }
}

/** The browser's own stream and timer. */
export const browserLive = (deps: Pick<LiveDeps, 'onRefused' | 'onSample'>): LiveDeps => ({
  ...deps,
  open: (url) => new EventSource(url) as LiveSource,
  later: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
});
