import type { WorkOrder } from '@parkline/contract';
import { createContext } from 'svelte';
import type { Api } from '../api/client.ts';
import { byDue } from './orders.ts';
import { Resource } from './resource.svelte.ts';

/** The open orders of the technician who is logged in, by what is due first. */
export class MyOrders {
  readonly open = new Resource<WorkOrder[]>();
  #api: Pick<Api, 'orders'>;

  constructor(api: Pick<Api, 'orders'>) {
    this.#api = api;
  }

  readonly sorted: WorkOrder[] = $derived((this.open.data ?? []).toSorted(byDue));
  /** How many wait to be accepted. */
  readonly toAccept: number = $derived(this.sorted.filter(({ state }) => state === 'dispatched').length);

  load(): Promise<void> {
    return this.open.load((signal) => this.#api.orders({ open: true }, signal));
  }

  close(): void {
    this.open.close();
  }
}

export const [getMyOrders, setMyOrders] = createContext<MyOrders>();
