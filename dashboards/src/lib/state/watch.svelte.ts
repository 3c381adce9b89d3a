import type { LiveSample, Point } from '@parkline/contract';
import { queryText, type Api } from '../api/client.ts';
import type { Clock } from './clock.ts';
import { browserLive, LivePoints, type LiveDeps } from './live-points.svelte.ts';
import { readingOf, type Reading } from './reading.ts';
import { Resource } from './resource.svelte.ts';

export interface WatchDeps {
  readonly api: Pick<Api, 'points'>;
  readonly clock: Clock;
  /** Told when the live stream is refused. */
  onRefused(): void;
  onSample?(sample: LiveSample): void;
  live?: LiveDeps;
}

/** Points with what they read now: the list once, then every change as it comes. `close` when the page leaves. */
export class Watch {
  readonly points = new Resource<Point[]>();
  readonly live: LivePoints;
  readonly byId: ReadonlyMap<string, Point> = $derived(
    // Made whole with every answer and never changed after: a plain map will do.
    // eslint-disable-next-line svelte/prefer-svelte-reactivity
    new Map((this.points.data ?? []).map((point) => [point.id, point])),
  );
  #deps: WatchDeps;
  #filter: { equipment?: string };

  constructor(filter: { equipment?: string }, deps: WatchDeps) {
    this.#deps = deps;
    this.#filter = filter;
    this.live = new LivePoints(`/api/live${queryText(filter)}`, deps.live ?? browserLive(deps));
  }

  load(): Promise<void> {
    return this.points.load((signal) => this.#deps.api.points(this.#filter, signal));
  }

  reading(point: Point): Reading {
    return readingOf(point, this.live.byId.get(point.id), this.#deps.clock.now);
  }

  /** What a point reads, if there is such a point. */
  readingOfId(id: string | null): Reading | undefined {
    const point = id === null ? undefined : this.byId.get(id);
    return point && this.reading(point);
  }

  close(): void {
    this.live.close();
    this.points.close();
  }
}
