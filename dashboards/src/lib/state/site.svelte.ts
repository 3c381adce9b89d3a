import type { PlaceTree } from '@parkline/contract';
import { createContext } from 'svelte';
import type { Api } from '../api/client.ts';
import { Resource } from './resource.svelte.ts';

/** Where the park is and what its places are called, for areas that need no devices. */
export class Site {
  readonly places = new Resource<PlaceTree>();
  #api: Pick<Api, 'places'>;

  constructor(api: Pick<Api, 'places'>) {
    this.#api = api;
  }

  readonly timezone: string = $derived(this.places.data?.sites[0]?.timezone ?? 'UTC');
  /** Names of buildings and floors by id. */
  readonly names: ReadonlyMap<string, string> = $derived(
    // Made whole with every answer and never changed after: a plain map will do.
    // eslint-disable-next-line svelte/prefer-svelte-reactivity
    new Map(
      (this.places.data?.sites ?? []).flatMap(({ buildings }) =>
        buildings.flatMap(({ id, name, floors }) => [
          [id, name] as const,
          ...floors.map((floor) => [floor.id, `${name} › ${floor.name}`] as const),
        ]),
      ),
    ),
  );

  load(): Promise<void> {
    return this.places.load((signal) => this.#api.places(signal));
  }

  close(): void {
    this.places.close();
  }
}

export const [getSite, setSite] = createContext<Site>();
