import type { Listing } from '../api/caller.ts';
import { Resource } from './resource.svelte.ts';

type ReadPage<T> = (after: string | undefined, signal: AbortSignal) => Promise<Listing<T>>;

/** A long list shown one page at a time, forth and back. */
export class Pager<T> {
  readonly page = new Resource<Listing<T>>();
  /** Index of the page in view, from 0. */
  at = $state(0);
  readonly #read: ReadPage<T>;
  /** Where each page that was seen begins. */
  #starts: (string | undefined)[] = [undefined];

  constructor(read: ReadPage<T>) {
    this.#read = read;
  }

  readonly hasNext: boolean = $derived(this.page.data?.next != null);
  readonly hasPrevious: boolean = $derived(this.at > 0);

  load(): Promise<void> {
    return this.#show(0);
  }

  async next(): Promise<void> {
    const after = this.page.data?.next;
    if (!after || this.page.loading) return;
    this.#starts[this.at + 1] = after;
    await this.#show(this.at + 1);
  }

  async previous(): Promise<void> {
    if (this.at > 0 && !this.page.loading) await this.#show(this.at - 1);
  }

  close(): void {
    this.page.close();
  }

  async #show(index: number): Promise<void> {
    await this.page.load(async (signal) => {
      const found = await this.#read(this.#starts[index], signal);
      this.at = index;
      return found;
    });
  }
}
