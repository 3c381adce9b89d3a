import type { OrderState, PhotoKind, Severity, Skill } from '@parkline/contract';

/** The part of an order that its steps change. */
export interface Order {
  readonly id: string;
  readonly accountId: string;
  readonly state: OrderState;
  readonly technicianId: string | null;
  /** Accept before this instant, or the supervisor gets it. Set exactly while dispatched. */
  readonly acceptBy: Date | null;
  /** Since when it waits for the supervisor. */
  readonly escalatedAt: Date | null;
  readonly dispatchedAt: Date | null;
  readonly acceptedAt: Date | null;
  readonly startedAt: Date | null;
  /** When it was done or cancelled. */
  readonly doneAt: Date | null;
  readonly note: string | null;
  readonly version: number;
}

/** What an order is about; never changes. */
export interface Subject {
  readonly severity: Severity;
  readonly skill: Skill;
  readonly buildingId: string | null;
  readonly floorId: string | null;
}

export type Refusal = 'closed' | 'not_yours' | 'not_accepted' | 'not_started' | 'photo_missing' | 'changed';
export type Outcome =
  { readonly ok: true; readonly order: Order } | { readonly ok: false; readonly why: Refusal };

const refuse = (why: Refusal): Outcome => ({ ok: false, why });
const isClosed = ({ state }: Order): boolean => state === 'done' || state === 'cancelled';

/** Gives the order to a technician, also away from another: the time to accept starts anew. Pure. */
export function dispatch(order: Order, technicianId: string, now: Date, acceptWithinMs: number): Outcome {
  if (isClosed(order)) return refuse('closed');
  return {
    ok: true,
    order: {
      ...{ ...order, state: 'dispatched', technicianId, dispatchedAt: now },
      acceptBy: new Date(now.getTime() + acceptWithinMs),
      ...{ escalatedAt: null, acceptedAt: null, startedAt: null },
    },
  };
}

/** The one it was given to takes it on; an order that nobody has goes to whoever takes it first. Pure. */
export function accept(order: Order, personId: string, now: Date): Outcome {
  if (isClosed(order)) return refuse('closed');
  if (order.state === 'waiting') {
    const taken = { ...order, technicianId: personId, dispatchedAt: now };
    return { ok: true, order: { ...taken, state: 'accepted', acceptedAt: now, escalatedAt: null } };
  }
  if (order.technicianId !== personId) return refuse('not_yours');
  if (order.state !== 'dispatched') return refuse('changed');
  return {
    ok: true,
    order: { ...order, state: 'accepted', acceptedAt: now, acceptBy: null, escalatedAt: null },
  };
}

/** Pure. */
export function start(order: Order, personId: string, now: Date): Outcome {
  if (isClosed(order)) return refuse('closed');
  if (order.technicianId !== personId) return refuse('not_yours');
  if (order.state === 'in_progress') return refuse('changed');
  if (order.state !== 'accepted') return refuse('not_accepted');
  return { ok: true, order: { ...order, state: 'in_progress', startedAt: now } };
}

export interface Finish {
  readonly personId: string;
  readonly now: Date;
  readonly photos: ReadonlySet<PhotoKind>;
  readonly note: string | null;
}

/** Not without a picture of before and one of after: what is not seen was not done. Pure. */
export function finish(order: Order, { personId, now, photos, note }: Finish): Outcome {
  if (isClosed(order)) return refuse('closed');
  if (order.technicianId !== personId) return refuse('not_yours');
  if (order.state !== 'in_progress') return refuse('not_started');
  if (!photos.has('before') || !photos.has('after')) return refuse('photo_missing');
  return { ok: true, order: { ...order, state: 'done', doneAt: now, note } };
}

/** Pure. */
export function cancel(order: Order, note: string, now: Date): Outcome {
  if (isClosed(order)) return refuse('closed');
  const order2 = { ...order, acceptBy: null, escalatedAt: null };
  return { ok: true, order: { ...order2, state: 'cancelled', doneAt: now, note } };
}

/** Whether nobody accepted in time. A timer that comes too early, late or twice finds out here. Pure. */
export const isOverdue = ({ state, acceptBy, escalatedAt }: Order, now: Date): boolean =>
  state === 'dispatched' && acceptBy !== null && acceptBy <= now && escalatedAt === null;

/** Pictures are taken by whoever works on it, from accepting to finishing. Pure. */
export function photoRefusal(order: Order, personId: string): Refusal | undefined {
  if (isClosed(order)) return 'closed';
  if (order.technicianId !== personId) return 'not_yours';
  return order.state === 'accepted' || order.state === 'in_progress' ? undefined : 'not_accepted';
}

/** '2026-00017'. */
export const orderNumber = (year: number, seq: number): string => `${year}-${String(seq).padStart(5, '0')}`;

/** The year on the calendar of a zone. Pure. */
export const yearIn = (timezone: string, at: Date): number =>
  Number(new Intl.DateTimeFormat('en-CA', { timeZone: timezone, year: 'numeric' }).format(at));
