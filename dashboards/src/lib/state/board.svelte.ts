import type { WorkOrder } from '@parkline/contract';
import { createContext } from 'svelte';
import type { Api } from '../api/client.ts';
import { escalated, toColumns } from './orders.ts';
import { Resource } from './resource.svelte.ts';

/** How many finished orders the board keeps in view. */
export const recentDone = 20;

/** All open work orders, and the newest of those that are done. */
export class Board {
  readonly orders = new Resource<WorkOrder[]>();
  #api: Pick<Api, 'orders' | 'orderPage'>;

  constructor(api: Pick<Api, 'orders' | 'orderPage'>) {
    this.#api = api;
  }

  readonly columns = $derived(toColumns(this.orders.data ?? []));
  /** What waits for the supervisor. */
  readonly escalated: WorkOrder[] = $derived(escalated(this.orders.data ?? []));

  load(): Promise<void> {
    return this.orders.load(async (signal) => {
      const [open, done] = await Promise.all([
        this.#api.orders({ open: true }, signal),
        this.#api.orderPage({ state: 'done', limit: recentDone }, signal),
      ]);
      return [...open, ...done.items];
    });
  }

  close(): void {
    this.orders.close();
  }
}

export const [getBoard, setBoard] = createContext<Board>();
