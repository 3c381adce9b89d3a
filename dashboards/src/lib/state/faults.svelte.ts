import type { Fault, Severity } from '@parkline/contract';
import { createContext } from 'svelte';
import type { Api } from '../api/client.ts';
import { Resource } from './resource.svelte.ts';

const gravity: Record<Severity, number> = { critical: 0, warning: 1, notice: 2 };

/** The gravest first, among equals the longest. */
export const byGravity = (
  a: Pick<Fault, 'severity' | 'openedAt'>,
  b: Pick<Fault, 'severity' | 'openedAt'>,
): number => gravity[a.severity] - gravity[b.severity] || Date.parse(a.openedAt) - Date.parse(b.openedAt);

/** How far somebody is with a fault: `told`: it only informs; `seen`: somebody knows, but there is no order. */
export type Care = 'nobody' | 'seen' | 'told' | 'waiting' | 'ordered' | 'accepted' | 'working' | 'repaired';

/** Who cares for a fault now. */
export function careOf({
  severity,
  orderState,
  acknowledgedAt,
}: Pick<Fault, 'severity' | 'orderState' | 'acknowledgedAt'>): Care {
  if (orderState === 'waiting') return 'waiting';
  if (orderState === 'dispatched') return 'ordered';
  if (orderState === 'accepted') return 'accepted';
  if (orderState === 'in_progress') return 'working';
  if (orderState === 'done') return 'repaired';
  if (acknowledgedAt !== null) return 'seen';
  return severity === 'notice' ? 'told' : 'nobody';
}

/** The open faults of the whole park, without those that follow from another. */
export class Faults {
  readonly open = new Resource<Fault[]>();
  #api: Pick<Api, 'faults'>;

  constructor(api: Pick<Api, 'faults'>) {
    this.#api = api;
  }

  readonly sorted: Fault[] = $derived((this.open.data ?? []).toSorted(byGravity));
  /** How many of them somebody must act on. */
  readonly alarms: number = $derived(this.sorted.filter(({ severity }) => severity !== 'notice').length);

  load(): Promise<void> {
    return this.open.load((signal) => this.#api.faults({ state: 'open' }, signal));
  }

  of(equipmentId: string): Fault[] {
    return this.sorted.filter((fault) => fault.equipmentId === equipmentId);
  }

  close(): void {
    this.open.close();
  }
}

export const [getFaults, setFaults] = createContext<Faults>();
