import type { Equipment, Gateway, PlaceTree } from '@parkline/contract';
import { createContext } from 'svelte';
import type { Api } from '../api/client.ts';
import { Resource } from './resource.svelte.ts';

type Site = PlaceTree['sites'][number];
type Building = Site['buildings'][number];

/** One step of the way from the site down to a thing. */
export interface Step {
  readonly id: string;
  readonly name: string;
}

/** What stands where: places, the equipment in them and the gateways that read it. Names in the reader's language. */
export class Park {
  readonly places = new Resource<PlaceTree>();
  readonly equipment = new Resource<Equipment[]>();
  readonly gateways = new Resource<Gateway[]>();
  #api: Pick<Api, 'places' | 'equipment' | 'gateways'>;

  constructor(api: Pick<Api, 'places' | 'equipment' | 'gateways'>) {
    this.#api = api;
  }

  readonly sites: Site[] = $derived(this.places.data?.sites ?? []);
  readonly buildings: Building[] = $derived(this.sites.flatMap(({ buildings }) => buildings));
  readonly devices: Equipment[] = $derived(this.equipment.data ?? []);
  readonly ready: boolean = $derived(Boolean(this.places.data && this.equipment.data && this.gateways.data));
  readonly error = $derived(this.places.error ?? this.equipment.error ?? this.gateways.error);
  /** Where an instant of the whole park is shown; a building's own site decides for the building. */
  readonly timezone: string = $derived(this.sites[0]?.timezone ?? 'UTC');

  /** Everything anew, for instance in another language. */
  load(): Promise<unknown> {
    return Promise.all([this.places.load((signal) => this.#api.places(signal)), this.refresh()]);
  }

  /** Only what changes by itself: the states of devices and gateways. */
  refresh(): Promise<unknown> {
    return Promise.all([
      this.equipment.load((signal) => this.#api.equipment(signal)),
      this.gateways.load((signal) => this.#api.gateways(signal)),
    ]);
  }

  close(): void {
    for (const resource of [this.places, this.equipment, this.gateways]) resource.close();
  }

  siteOf(buildingId: string): Site | undefined {
    return this.sites.find(({ buildings }) => buildings.some(({ id }) => id === buildingId));
  }

  timezoneOf(buildingId: string | undefined): string {
    return (buildingId ? this.siteOf(buildingId)?.timezone : undefined) ?? this.timezone;
  }

  /** From the site to the place with this id; empty for the whole park or an unknown id. */
  pathTo(placeId: string | null | undefined): Step[] {
    for (const site of this.sites) {
      if (site.id === placeId) return [site];
      for (const building of site.buildings) {
        if (building.id === placeId) return [site, building];
        const floor = building.floors.find(({ id }) => id === placeId);
        if (floor) return [site, building, floor];
      }
    }
    return [];
  }

  /** The devices in a place and everything below it; all of them for no or an unknown place. */
  devicesIn(placeId: string | null | undefined): Equipment[] {
    const [site, building, floor] = this.pathTo(placeId);
    if (!site) return this.devices;
    const isInside = ({ floorId, buildingId }: Equipment): boolean => {
      if (floor) return floorId === floor.id;
      return building ? buildingId === building.id : this.siteOf(buildingId)?.id === site.id;
    };
    return this.devices.filter(isInside);
  }
}

export const [getPark, setPark] = createContext<Park>();
