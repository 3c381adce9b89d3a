import type { EventKind } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from './db.ts';
import type { NewId } from './ids.ts';

/** Task of the job that an event is until it was passed on. */
export const EVENT_HAPPENED = 'event.happened';

export interface ParkEvent {
  readonly accountId: string;
  readonly kind: EventKind;
  readonly at: Date;
  /** What it is about, by id, and its state: whoever may know more asks the API. */
  readonly data: Readonly<Record<string, string | number | null>>;
}

/** Payload of the job; its key is the event's id. */
export type EventPayload = Omit<ParkEvent, 'accountId' | 'at'> & { readonly at: string };

/** Tells other systems of something, in the transaction that it happens in: there is neither one without the other. */
export async function happened(trx: Db, newId: NewId, event: ParkEvent): Promise<void> {
  const { kind, at, data } = event;
  const payload: EventPayload = { kind, at: at.toISOString(), data };
  // Through a function: people of a tenant reach no row of the queue.
  await sql`select event_post(${newId()}, ${newId()}, ${JSON.stringify(payload)}::jsonb, ${at})`.execute(trx);
}
