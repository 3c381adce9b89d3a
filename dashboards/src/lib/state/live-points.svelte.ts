import type { LiveSample } from '@parkline/contract';
import { SvelteMap } from 'svelte/reactivity';
import { browserStream, EventStream, type Link, type StreamDeps } from './event-stream.svelte.ts';

export interface LiveDeps extends StreamDeps {
  /** Every sample as it comes, for charts that keep a past. */
  onSample?(sample: LiveSample): void;
}

/** Latest sample per point, kept fresh over one event stream. One instance per page; `close` when the page leaves. */
export class LivePoints {
  readonly byId = new SvelteMap<string, LiveSample>();
  readonly #stream: EventStream;

  constructor(url: string, deps: LiveDeps) {
    this.#stream = new EventStream(url, deps, {
      samples: (data) => {
        for (const sample of JSON.parse(data) as LiveSample[]) {
          this.byId.set(sample.pointId, sample);
          deps.onSample?.(sample);
        }
      },
    });
  }

  get link(): Link {
    return this.#stream.link;
  }

  close(): void {
    this.#stream.close();
  }
}

/** The browser's own stream and timer. */
export const browserLive = (deps: Pick<LiveDeps, 'onRefused' | 'onSample'>): LiveDeps => ({
  ...browserStream,
  ...deps,
});
