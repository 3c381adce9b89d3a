import type { FastifyRequest } from 'fastify';
import { audit } from '../identity/index.ts';
import type { Actor } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db } from '../platform/db.ts';
import { badFields, type FieldFault } from '../platform/errors.ts';
import type { NewId } from '../platform/ids.ts';
import { jobs } from '../platform/jobs.ts';
import type { Secrets } from '../platform/secrets.ts';
import { thingWords } from './thing-words.ts';

/** Which of these points have readings, newer or older: they are retired and never deleted. */
export type WithReadings = (
  db: Db,
  accountId: string,
  pointIds: readonly string[],
) => Promise<ReadonlySet<string>>;

export interface ThingDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  readonly secrets: Secrets;
  readonly withReadings: WithReadings;
}

/** What the worker is told when devices of an account were changed, and when. */
export const EQUIPMENT_CHANGED = 'fleet.equipment_changed';
export interface EquipmentChanged {
  /** ISO 8601 */
  readonly at: string;
}

/** Tells the worker, in the transaction of the change. Each has a job of its own, so that no edit waits for another. */
export const tellEquipmentChanged = (
  trx: Db,
  accountId: string,
  { at, newId }: { readonly at: Date; readonly newId: NewId },
): Promise<void> =>
  jobs.enqueue(trx, newId, {
    ...{ accountId, task: EQUIPMENT_CHANGED, key: newId(), dueAt: at },
    payload: { at: at.toISOString() } satisfies EquipmentChanged,
  });

/** @throws AppError 'bad_input' naming every field, below `body`. */
export function refuseFaults(faults: readonly FieldFault[]): void {
  if (faults.length > 0)
    throw badFields(faults.map(({ field, message }) => ({ field: `body.${field}`, message })));
}

type Fields = Readonly<Record<string, unknown>>;

/** The fields in which two descriptions differ, as each has them. Pure. */
export function differences(before: Fields, after: Fields): { before: Fields; after: Fields } {
  const names = Object.keys(after).filter((name) => !isSame(before[name], after[name]));
  const pick = (of: Fields) => Object.fromEntries(names.map((name) => [name, of[name] ?? null]));
  return { before: pick(before), after: pick(after) };
}

/** Deeply, whatever the order of keys. */
export function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [one, two] = [Object.entries(a), new Map(Object.entries(b))];
  return one.length === two.size && one.every(([key, value]) => two.has(key) && isSame(value, two.get(key)));
}

export interface Change {
  readonly action: string;
  readonly id: string;
  readonly before?: Fields;
  readonly after?: Fields;
  readonly details?: Fields;
}

/** Notes a change in the transaction that makes it. */
export const noteChange = (
  trx: Db,
  now: Now,
  { accountId, personId }: Pick<Actor, 'accountId' | 'personId'>,
  request: Pick<FastifyRequest, 'ip'>,
  { action, id, before, after, details }: Change,
): Promise<void> =>
  audit(trx, {
    ...{ accountId, at: now(), personId, action, subjectId: id, ip: request.ip },
    ...{ ...(before && { before }), ...(after && { after }), ...(details && { details }) },
  });

/** A unique key that somebody else has. @throws AppError 'bad_input' naming `body.key`, or the error itself. */
export function refuseTaken(error: unknown, key: string): never {
  if ((error as { code?: unknown }).code === '23505')
    refuseFaults([{ field: 'key', message: thingWords.taken(key) }]);
  throw error;
}
