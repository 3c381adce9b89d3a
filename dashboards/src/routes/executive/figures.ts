import { type OrderState, orderStates, type WorkOrder } from '@parkline/contract';

/** How many orders stand in each state, in the order of an order's life. Pure. */
export const ordersByState = (
  orders: readonly Pick<WorkOrder, 'state'>[],
): { state: OrderState; count: number }[] =>
  orderStates.map((state) => ({ state, count: orders.filter((order) => order.state === state).length }));

/**
 * The middle time from dispatch to acceptance, ms, and of how many orders; undefined when none was accepted.
 * Middle of two: the mean of both. Pure.
 */
export function timeToAccept(
  orders: readonly Pick<WorkOrder, 'dispatchedAt' | 'acceptedAt'>[],
): { ms: number; count: number } | undefined {
  const times = orders
    .flatMap(({ dispatchedAt, acceptedAt }) =>
      dispatchedAt && acceptedAt ? [Date.parse(acceptedAt) - Date.parse(dispatchedAt)] : [],
    )
    .filter((ms) => ms >= 0)
    .toSorted((a, b) => a - b);
  if (times.length === 0) return undefined;
  const [low, high] = [times[Math.floor((times.length - 1) / 2)], times[Math.floor(times.length / 2)]];
  return { ms: ((low ?? 0) + (high ?? 0)) / 2, count: times.length };
}
