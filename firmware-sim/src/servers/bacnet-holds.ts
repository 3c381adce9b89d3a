/** What people and programs have told an object to show, in place of its model. Clause 19.2. */
export interface Holds {
  /** The value in force at an instant; undefined where the model shows through. */
  at(t: number): number | undefined;
  /** What each priority from 1 to 16 holds, null for nothing. Empty for an object without priorities. */
  slots(): readonly (number | null)[];
  /** @param priority Ignored where there are none. @param value null gives it back. */
  put(priority: number, value: number | null, t: number): void;
}

const PRIORITIES = 16;
/** Changes remembered, for the trend logs. */
const REMEMBERED = 1_000;

export function createHolds(isCommandable: boolean): Holds {
  const slots = new Array<number | null>(isCommandable ? PRIORITIES : 0).fill(null);
  let changes: { readonly t: number; readonly value: number | undefined }[] = [];
  return {
    at: (t) => changes.findLast((change) => change.t <= t)?.value,
    slots: () => slots,
    put(priority, value, t) {
      if (!isCommandable && value === null) return; // It says yes and nothing changes, as real ones do.
      if (isCommandable) slots[priority - 1] = value;
      const inForce = isCommandable ? slots.find((held) => held !== null) : value;
      changes = [...changes.slice(1 - REMEMBERED), { t, value: inForce ?? undefined }];
    },
  };
}
