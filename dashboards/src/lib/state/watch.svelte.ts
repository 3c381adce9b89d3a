import type { LiveSample, Point } from '@parkline/contract';
import { hrefOf, type Api } from '../api/client.ts';
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
  readonly byId: ReadonlyMap<string, Point> = $derived(
    // Made whole with every answer and never changed after: a plain map will do.
    // eslint-disable-next-line svelte/prefer-svelte-reactivity
    new Map((this.points.data ?? []).map((point) => [point.id, point])),
  );
  /** Unix ms that readings are judged at while no news comes: silence is then ours, not theirs. Undefined: now. */
  asOf = $state<number>();
  #live = $state.raw<LivePoints>();
  #deps: WatchDeps;
  #filter: { equipment?: string };

  constructor(filter: { equipment?: string }, deps: WatchDeps) {
    this.#deps = deps;
    this.#filter = filter;
  }

  /** How the stream is; undefined while there is nothing to stream. */
  get link(): LivePoints['link'] | undefined {
    return this.#live?.link ?? (this.points.loading ? 'connecting' : undefined);
  }

  /** Reads the list anew, for instance in another language, and opens the stream once there is a point to watch. */
  load(): Promise<void> {
    return this.points.load(async (signal) => {
      const points = await this.#deps.api.points(this.#filter, signal);
      if (points.length > 0 && !signal.aborted) this.#open();
      return points;
    });
  }

  #open(): void {
    this.#live ??= new LivePoints(
      hrefOf('streamLive', { query: this.#filter }),
      this.#deps.live ?? browserLive(this.#deps),
    );
  }

  /** The newest sample that the stream brought. */
  sample(pointId: string): LiveSample | undefined {
    return this.#live?.byId.get(pointId);
  }

  /** Unix ms that readings are judged at. */
  get now(): number {
    return this.asOf ?? this.#deps.clock.now;
  }

  reading(point: Point): Reading {
    return readingOf(point, this.sample(point.id), this.now);
  }

  /** What a point reads, if there is such a point. */
  readingOfId(id: string | null): Reading | undefined {
    const point = id === null ? undefined : this.byId.get(id);
    return point && this.reading(point);
  }

  close(): void {
    this.#live?.close();
    this.points.close();
  }
}
