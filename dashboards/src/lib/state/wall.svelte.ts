import type { Equipment, Fault, PlaceTree, Severity } from '@parkline/contract';
import type { Api } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';

/** A building as a wall screen shows it. */
export interface WallBuilding {
  readonly id: string;
  readonly name: string;
  readonly devices: number;
  readonly online: number;
  /** Open faults by severity. */
  readonly open: Readonly<Record<Severity, number>>;
}

const order: Record<Severity, number> = { critical: 0, warning: 1, notice: 2 };

/** What a wall screen shows of a park, read again and again. What was read stays when a reading fails. */
export class Wall {
  #places = $state.raw<PlaceTree>();
  #equipment = $state.raw<readonly Equipment[]>([]);
  #faults = $state.raw<readonly Fault[]>([]);
  /** Why the last reading failed; 401: the token is not known any more. */
  error = $state.raw<ApiError>();
  /** Unix ms of the last reading that succeeded. */
  readAt = $state<number>();
  #api: Pick<Api, 'places' | 'equipment' | 'faults'>;

  constructor(api: Pick<Api, 'places' | 'equipment' | 'faults'>) {
    this.#api = api;
  }

  async read(signal?: AbortSignal): Promise<void> {
    try {
      const [places, equipment, faults] = await Promise.all([
        this.#api.places(signal),
        this.#api.equipment(signal),
        this.#api.faults({ state: 'open' }, signal),
      ]);
      [this.#places, this.#equipment, this.#faults] = [places, equipment, faults];
      this.error = undefined;
      this.readAt = Date.now();
    } catch (error) {
      if (signal?.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
      if (error.status === 401) [this.#places, this.#equipment, this.#faults] = [undefined, [], []];
    }
  }

  get title(): string | undefined {
    return this.#places?.sites.map(({ name }) => name).join(' · ');
  }

  get timezone(): string | undefined {
    return this.#places?.sites[0]?.timezone;
  }

  get buildings(): readonly WallBuilding[] {
    const all = this.#places?.sites.flatMap(({ buildings }) => buildings) ?? [];
    return all.map(({ id, name }) => {
      const devices = this.#equipment.filter(({ buildingId }) => buildingId === id);
      const count = (severity: Severity) =>
        this.#faults.filter((fault) => fault.buildingId === id && fault.severity === severity).length;
      const open = { critical: count('critical'), warning: count('warning'), notice: count('notice') };
      return {
        ...{ id, name, open, devices: devices.length },
        online: devices.filter(({ state }) => state === 'online').length,
      };
    });
  }

  /** Faults that are no consequence of another: the gravest first, of these the newest. */
  get faults(): readonly Fault[] {
    return this.#faults
      .filter(({ causeId }) => causeId === null)
      .toSorted((a, b) => order[a.severity] - order[b.severity] || b.openedAt.localeCompare(a.openedAt));
  }

  buildingOf({ buildingId }: Fault): string | undefined {
    return this.buildings.find(({ id }) => id === buildingId)?.name;
  }
}

/**
 * The token of a wall screen: out of the address, where it came with the link, into the browser's own store.
 * @param hash of the address, '#pd_...'.
 */
export function keepToken(hash: string, storage: Pick<Storage, 'getItem' | 'setItem'>): string | undefined {
  const given = /^#(pd_[\w-]+)$/.exec(hash)?.[1];
  if (given) storage.setItem('parkline.display', given);
  return given ?? storage.getItem('parkline.display') ?? undefined;
}
