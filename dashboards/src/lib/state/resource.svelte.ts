import { ApiError } from '../api/errors.ts';

/**
 * Something read from the server, with the states a view has to show. A new `load` ends the one under way; what was
 * read before stays visible until the new answer is there, and stays when it fails.
 */
export class Resource<T> {
  data = $state.raw<T>();
  error = $state.raw<ApiError>();
  loading = $state(false);
  /** Unix ms of the answer in `data`. */
  loadedAt = $state<number>();
  #running: AbortController | undefined;
  #read: ((signal: AbortSignal) => Promise<T>) | undefined;

  /** @param fresh forget the old answer at once, because it belongs to something else. */
  async load(read: (signal: AbortSignal) => Promise<T>, { fresh = false } = {}): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#read = read;
    this.loading = true;
    if (fresh) this.data = undefined;
    try {
      const data = await read(running.signal);
      if (running.signal.aborted) return;
      this.data = data;
      this.error = undefined;
      this.loadedAt = Date.now();
    } catch (error) {
      if (running.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
    } finally {
      if (this.#running === running) this.loading = false;
    }
  }

  /** Reads the same thing again. */
  async reload(): Promise<void> {
    if (this.#read) await this.load(this.#read);
  }

  /** Ends what is under way; call it when the page leaves. */
  close(): void {
    this.#running?.abort();
    this.loading = false;
  }
}
