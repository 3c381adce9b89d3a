import {
  checkWrite,
  type CommandBody,
  type CommandState,
  type PointKind,
  type Unit,
  type WriteFault,
  type WriteLimits,
} from '@parkline/contract';
import type { LocalText } from '../platform/i18n.ts';

/** How long a second person has to approve, ms. */
const APPROVE_WITHIN_MS = 30 * 60_000;
/** How long a command waits for its gateway before it is given up unsent, ms. */
export const SEND_WITHIN_MS = 60_000;
/** How long a gateway may carry a command out once it was sent, ms. */
export const LIVES_MS = 60_000;
/** A result that is under way when a command expires has this long to come, ms. */
export const ANSWER_WITHIN_MS = LIVES_MS + 10_000;

/** What must be known of a point to order a write. */
export interface CommandPoint {
  readonly id: string;
  readonly equipmentId: string;
  readonly gatewayId: string;
  readonly kind: PointKind;
  readonly unit: Unit;
  readonly protocol: string;
  /** Null: read only. */
  readonly write: WriteLimits | null;
}

/** What a wish becomes. */
export interface Ordered {
  readonly state: Extract<CommandState, 'awaiting_approval' | 'queued'>;
  readonly holdS: number | null;
  readonly safety: boolean;
  readonly dueAt: Date;
}

export type Order =
  | { readonly ok: true; readonly ordered: Ordered }
  | {
      readonly ok: false;
      readonly code: WriteFault | 'reason';
      readonly field?: string;
      readonly message: LocalText;
    };

/** Fields to blame; a point that is not writable is nobody's field. */
const fields: Readonly<Partial<Record<WriteFault, string>>> = {
  range: 'body.value',
  step: 'body.value',
  state: 'body.value',
  release: 'body.value',
  hold: 'body.holdS',
};

/** Whether somebody may order this write, and what waits for it next. Default deny. Pure. */
export function order(point: CommandPoint, wish: CommandBody, at: Date): Order {
  const hasPriorities = point.protocol === 'bacnet';
  const { kind, unit, write } = point;
  const checked = checkWrite({ kind, unit, ...(write && { write }) }, wish, hasPriorities);
  if (!checked.ok) {
    const field = fields[checked.code];
    return { ...checked, ...(field !== undefined && { field }) };
  }
  if (wish.reason.trim().length < 3)
    return {
      ok: false,
      code: 'reason',
      field: 'body.reason',
      message: { en: 'says too little', zh: '过短，请说明原因' },
    };
  const { safety, holdS, release } = checked.limits;
  const isGivenBack = wish.value !== null && (hasPriorities || release !== undefined);
  return {
    ok: true,
    ordered: {
      state: safety ? 'awaiting_approval' : 'queued',
      holdS: isGivenBack ? (wish.holdS ?? holdS) : null,
      safety,
      dueAt: new Date(at.getTime() + (safety ? APPROVE_WITHIN_MS : SEND_WITHIN_MS)),
    },
  };
}

/** Why a person's step does not fit. */
export type StepFault = 'state' | 'same_person';

interface Waiting {
  readonly state: CommandState;
  readonly actorId: string;
}

/** Whether this person may approve: it waits for that, and the person is not the one who asked. Pure. */
export function approvable({ state, actorId }: Waiting, personId: string): StepFault | undefined {
  if (state !== 'awaiting_approval') return 'state';
  return personId === actorId ? 'same_person' : undefined;
}

/** Whether it can still be taken back: nothing was sent yet. Pure. */
export const cancellable = ({ state }: Pick<Waiting, 'state'>): StepFault | undefined =>
  state === 'awaiting_approval' || state === 'queued' ? undefined : 'state';
