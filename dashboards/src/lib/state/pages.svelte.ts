import type { Listing } from '../api/caller.ts';
import { Resource } from './resource.svelte.ts';

type ReadPage<T> = (after: string | undefined, signal: AbortSignal) => Promise<Listing<T>>;

/** A long list, of which more is read when somebody asks for it. */
export class Pages<T> {
  readonly resource = new Resource<Listing<T>>();
  #read: ReadPage<T> | undefined;
  #wanted = 1;

  readonly items: readonly T[] = $derived(this.resource.data?.items ?? []);
  readonly hasMore: boolean = $derived(this.resource.data?.next != null);

  /** Begins with the first page of another list. */
  load(read: ReadPage<T>): Promise<void> {
    this.#read = read;
    this.#wanted = 1;
    return this.resource.load((signal) => this.#walk(read, signal));
  }

  /** Reads as many pages as are shown, anew. */
  async reload(): Promise<void> {
    const read = this.#read;
    if (read) await this.resource.load((signal) => this.#walk(read, signal));
  }

  /** Puts the next page below what is shown. */
  async more(): Promise<void> {
    const [read, shown] = [this.#read, this.resource.data];
    if (!read || !shown?.next) return;
    await this.resource.load(async (signal) => {
      const page = await read(shown.next ?? undefined, signal);
      this.#wanted += 1;
      return { items: [...shown.items, ...page.items], next: page.next };
    });
  }

  close(): void {
    this.resource.close();
  }

  async #walk(read: ReadPage<T>, signal: AbortSignal): Promise<Listing<T>> {
    const items: T[] = [];
    let next: string | null = null;
    for (let page = 0; page < this.#wanted; page += 1) {
      const found: Listing<T> = await read(next ?? undefined, signal);
      items.push(...found.items);
      next = found.next;
      if (!next) break;
    }
    return { items, next };
  }
}
