import type { OrderState, PhotoKind, Severity, Skill } from '@parkline/contract';
import type { Generated } from 'kysely';
import type { LocalText } from '../platform/i18n.ts';
import type { DispatchReason } from './dispatch.ts';

/** What happened to an order; the words are made from `facts`. */
export type OrderEvent =
  | { readonly what: 'created'; readonly facts: { readonly fault: boolean } }
  | { readonly what: 'dispatched'; readonly facts: DispatchReason }
  | { readonly what: 'accepted' | 'started'; readonly facts: Record<string, never> }
  | { readonly what: 'finished' | 'cancelled'; readonly facts: { readonly note: string | null } }
  | { readonly what: 'photo_added'; readonly facts: { readonly kind: PhotoKind } }
  | { readonly what: 'escalated'; readonly facts: { readonly why: 'nobody_fits' | 'not_accepted' } }
  | { readonly what: 'fault_cleared'; readonly facts: { readonly why: string } };

declare module '../platform/db.ts' {
  interface Tables {
    workOrder: {
      id: string;
      accountId: string;
      year: number;
      seq: number;
      title: LocalText;
      state: OrderState;
      severity: Severity;
      skill: Skill;
      faultId: string | null;
      equipmentId: string | null;
      buildingId: string | null;
      floorId: string | null;
      technicianId: string | null;
      dispatchReason: DispatchReason | null;
      acceptBy: Date | null;
      escalatedAt: Date | null;
      createdAt: Date;
      dispatchedAt: Date | null;
      acceptedAt: Date | null;
      startedAt: Date | null;
      doneAt: Date | null;
      note: string | null;
      version: Generated<number>;
    };
    workOrderCount: { accountId: string; year: number; last: number };
    workOrderEvent: {
      id: Generated<string>;
      accountId: string;
      orderId: string;
      at: Date;
      personId: string | null;
      what: OrderEvent['what'];
      facts: OrderEvent['facts'];
    };
    workOrderPhoto: {
      accountId: string;
      orderId: string;
      fileId: string;
      kind: PhotoKind;
      sourceSha256: Buffer;
      at: Date;
    };
    workOrderSetting: { accountId: string; acceptWithinMin: number; version: Generated<number> };
  }
}
