import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';
import { OrderState, Severity, Skill } from './faults.ts';

export const PhotoKind = Type.Union([Type.Literal('before'), Type.Literal('after')]);
export type PhotoKind = Static<typeof PhotoKind>;

export const OrderPhoto = Type.Object({ id: Uuid, kind: PhotoKind, at: Instant });
export type OrderPhoto = Static<typeof OrderPhoto>;

export const WorkOrder = Type.Object({
  id: Uuid,
  /** '2026-00017': counted by account and calendar year of the site, without gaps. */
  number: Type.String(),
  title: Type.String(),
  state: OrderState,
  severity: Severity,
  skill: Skill,
  faultId: Nullable(Uuid),
  /** The fault it was made for, as it stands. Cleared does not mean repaired: the order stays until somebody finishes it. */
  fault: Nullable(
    Type.Object({
      state: Type.Union([Type.Literal('open'), Type.Literal('cleared')]),
      openedAt: Instant,
      clearedAt: Nullable(Instant),
    }),
  ),
  equipmentId: Nullable(Uuid),
  equipmentName: Nullable(Type.String()),
  buildingId: Nullable(Uuid),
  floorId: Nullable(Uuid),
  /** Where, in words: 'Building A, roof'. */
  place: Type.String(),
  technician: Nullable(Type.Object({ id: Uuid, name: Type.String() })),
  /** A sentence: why this technician, or why nobody. */
  dispatchReason: Nullable(Type.String()),
  /** Accept before this instant, or the supervisor gets it. Null unless dispatched. */
  acceptBy: Nullable(Instant),
  /** Since when it waits for the supervisor: nobody fits, or nobody accepted in time. */
  escalatedAt: Nullable(Instant),
  createdAt: Instant,
  dispatchedAt: Nullable(Instant),
  acceptedAt: Nullable(Instant),
  startedAt: Nullable(Instant),
  doneAt: Nullable(Instant),
  /** What was done, or why it was cancelled. */
  note: Nullable(Type.String()),
  photos: Type.Array(OrderPhoto),
  /** Goes back with every change; a stale one is refused with 409. */
  version: Type.Integer(),
});
export type WorkOrder = Static<typeof WorkOrder>;

export const OrderHistoryItem = Type.Object({
  at: Instant,
  /** Name of the person; null for the system itself. */
  who: Nullable(Type.String()),
  /** For programs: 'created', 'dispatched', 'accepted', 'escalated', 'fault_cleared', ... */
  what: Type.String(),
  /** A sentence. */
  detail: Type.String(),
});
export type OrderHistoryItem = Static<typeof OrderHistoryItem>;

export const WorkOrderDetail = Type.Object({
  ...WorkOrder.properties,
  history: Type.Array(OrderHistoryItem),
});
export type WorkOrderDetail = Static<typeof WorkOrderDetail>;

/** Newest first. Somebody who may work on orders but not give them sees the own ones and those that nobody has. */
export const WorkOrderQuery = Type.Object({
  state: Type.Optional(OrderState),
  /** true: neither done nor cancelled; false: only those. */
  open: Type.Optional(Type.Boolean()),
  escalated: Type.Optional(Type.Boolean()),
  building: Type.Optional(Uuid),
  equipment: Type.Optional(Uuid),
  technician: Type.Optional(Uuid),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  after: Type.Optional(Uuid),
});
export type WorkOrderQuery = Static<typeof WorkOrderQuery>;

const version = Type.Integer({ minimum: 1 });
const note = Type.String({ maxLength: 2_000 });

/** Without a technician the best fitting one is chosen. Also gives an order to somebody else: the time to accept starts anew. */
export const DispatchBody = Type.Object({ version, technicianId: Type.Optional(Uuid) });
export type DispatchBody = Static<typeof DispatchBody>;
/** Body of accept and of start. */
export const OrderStepBody = Type.Object({ version });
export type OrderStepBody = Static<typeof OrderStepBody>;
/** Refused with 409 `why: photo_missing` until there is a photo of before and one of after. */
export const FinishBody = Type.Object({ version, note: Type.Optional(note) });
export type FinishBody = Static<typeof FinishBody>;
export const CancelBody = Type.Object({ version, note: Type.String({ minLength: 1, maxLength: 2_000 }) });
export type CancelBody = Static<typeof CancelBody>;

export const PhotoQuery = Type.Object({ kind: PhotoKind });

export const Technician = Type.Object({
  id: Uuid,
  name: Type.String(),
  skills: Type.Array(Skill),
  /** Ids of the buildings and floors whose orders come here; empty: the whole park. */
  areas: Type.Array(Uuid),
  /** Orders that were given to this person and are not finished. */
  openOrders: Type.Integer(),
});
export type Technician = Static<typeof Technician>;

export const WorkOrderSettings = Type.Object({
  /** Minutes before an order that nobody accepted goes to the supervisor. Holds for what is dispatched from then on. */
  acceptWithinMin: Type.Integer({ minimum: 1, maximum: 1_440 }),
});
export type WorkOrderSettings = Static<typeof WorkOrderSettings>;

export const WorkOrderSettingsView = Type.Object({
  ...WorkOrderSettings.properties,
  /** Goes back in If-Match when they are changed; 0: the account has set nothing. */
  version: Type.Integer({ minimum: 0 }),
});
export type WorkOrderSettingsView = Static<typeof WorkOrderSettingsView>;
