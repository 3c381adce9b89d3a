import type { CommandView } from '@parkline/contract';
import type { Api } from '../api/client.ts';
import type { Listing } from '../api/caller.ts';
import { Resource } from './resource.svelte.ts';

/** A bar shows no more than this many. */
const most = 100;

/** How many writes wait for a second person, for the bar of an area. */
export class WaitingWrites {
  #waiting = new Resource<Listing<CommandView>>();
  #api: Pick<Api, 'commandPage'>;

  constructor(api: Pick<Api, 'commandPage'>) {
    this.#api = api;
  }

  readonly count: number = $derived(this.#waiting.data?.items.length ?? 0);

  load(): Promise<void> {
    return this.#waiting.load((signal) =>
      this.#api.commandPage({ state: 'awaiting_approval', limit: most }, signal),
    );
  }

  close(): void {
    this.#waiting.close();
  }
}
