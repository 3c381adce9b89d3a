import type { OrderState, Skill, Technician, WorkOrder } from '@parkline/contract';

/** How near an order is to the moment it goes to the supervisor. */
export interface AcceptTime {
  /** Used part of the time to accept: 0..1. */
  readonly part: number;
  /** ms until it is over; negative once it is. */
  readonly leftMs: number;
  /** `soon` from 80 % on. */
  readonly mood: 'calm' | 'soon' | 'over';
}

const soonFrom = 0.8;

/** Undefined while nobody has to accept. */
export function acceptTime(
  { state, dispatchedAt, acceptBy }: Pick<WorkOrder, 'state' | 'dispatchedAt' | 'acceptBy'>,
  now: number,
): AcceptTime | undefined {
  if (state !== 'dispatched' || !dispatchedAt || !acceptBy) return undefined;
  const [from, to] = [Date.parse(dispatchedAt), Date.parse(acceptBy)];
  const part = to > from ? Math.min(1, Math.max(0, (now - from) / (to - from))) : 1;
  return { part, leftMs: to - now, mood: now >= to ? 'over' : part >= soonFrom ? 'soon' : 'calm' };
}

/** The columns of the board, in the order that work flows. */
export const boardStates = [
  'waiting',
  'dispatched',
  'accepted',
  'in_progress',
  'done',
] as const satisfies OrderState[];
export type BoardState = (typeof boardStates)[number];

/** Whether it waits for the supervisor: nobody fits, or nobody accepted in time. */
const isEscalated = ({ state, escalatedAt }: WorkOrder): boolean =>
  escalatedAt !== null && (state === 'waiting' || state === 'dispatched');

/** What waits for the supervisor, longest first. */
export const escalated = (orders: readonly WorkOrder[]): WorkOrder[] =>
  orders.filter(isEscalated).toSorted((a, b) => Date.parse(a.escalatedAt!) - Date.parse(b.escalatedAt!));

/** The orders of each column, without those that are escalated: what is open, oldest first; what is done, newest first. */
export function toColumns(orders: readonly WorkOrder[]): { state: BoardState; orders: WorkOrder[] }[] {
  return boardStates.map((state) => ({
    state,
    orders: orders
      .filter((order) => order.state === state && !isEscalated(order))
      .toSorted((a, b) =>
        state === 'done'
          ? Date.parse(b.doneAt ?? b.createdAt) - Date.parse(a.doneAt ?? a.createdAt)
          : Date.parse(a.createdAt) - Date.parse(b.createdAt),
      ),
  }));
}

const dueRank: Record<OrderState, number> = {
  dispatched: 0,
  in_progress: 1,
  accepted: 2,
  waiting: 3,
  done: 4,
  cancelled: 5,
};

/** A technician's own work: what must be accepted by when, then what is under way, then what was accepted. */
export const byDue = (a: WorkOrder, b: WorkOrder): number =>
  dueRank[a.state] - dueRank[b.state] ||
  Date.parse(a.acceptBy ?? a.createdAt) - Date.parse(b.acceptBy ?? b.createdAt);

/** How well somebody fits an order. */
export interface Candidate {
  readonly technician: Technician;
  readonly hasSkill: boolean;
  readonly isNear: boolean;
}

/** All technicians, the best fitting first: skill, then area, then the fewest open orders. */
export function rankTechnicians(
  technicians: readonly Technician[],
  { skill, buildingId, floorId }: { skill: Skill; buildingId: string | null; floorId: string | null },
): Candidate[] {
  const isNear = ({ areas }: Technician) =>
    areas.length === 0 || areas.some((area) => area === buildingId || area === floorId);
  return technicians
    .map((technician) => ({
      technician,
      hasSkill: technician.skills.includes(skill),
      isNear: isNear(technician),
    }))
    .toSorted(
      (a, b) =>
        Number(b.hasSkill) - Number(a.hasSkill) ||
        Number(b.isNear) - Number(a.isNear) ||
        a.technician.openOrders - b.technician.openOrders,
    );
}

export const stepNames = ['accept', 'start', 'before', 'after', 'finish'] as const;
export type StepName = (typeof stepNames)[number];

/** One thing a technician does for an order. Only the first that is not done is open. */
export interface Step {
  readonly name: StepName;
  readonly state: 'done' | 'open' | 'later';
  /** When it was done; null until then. */
  readonly at: string | null;
}

/** The way through an order. A finished or cancelled one has no open step. */
export function stepsOf({
  state,
  acceptedAt,
  startedAt,
  doneAt,
  photos,
}: Pick<WorkOrder, 'state' | 'acceptedAt' | 'startedAt' | 'doneAt' | 'photos'>): Step[] {
  const lastPhoto = (kind: 'before' | 'after') => photos.findLast((photo) => photo.kind === kind)?.at ?? null;
  const times: Record<StepName, string | null> = {
    accept: acceptedAt,
    start: startedAt,
    before: lastPhoto('before'),
    after: lastPhoto('after'),
    finish: doneAt,
  };
  const isOver = state === 'done' || state === 'cancelled';
  const open = isOver ? undefined : stepNames.find((name) => times[name] === null);
  return stepNames.map((name) => ({
    name,
    at: times[name],
    state: times[name] !== null ? 'done' : name === open ? 'open' : 'later',
  }));
}
