import './tables.ts';
import type { LeaseRecord, MoveBody, SpaceState } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import { AppError, badFields } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { happened } from '../platform/events.ts';
import { jobs } from '../platform/jobs.ts';
import type { Editor } from '../records/index.ts';
import { askToFollow, followLeases, setSpaceState } from './follow-leases.ts';
import { type Handover, moveInRefusal, moveOutRefusal, type MoveRefusal } from './lease-days.ts';
import { CLOSE_ACCESS } from './tenant-access.ts';

/** Events of the job table, each once for a lease; metering listens. */
export const LEASE_MOVED_IN = 'lease.moved_in';
export const LEASE_MOVED_OUT = 'lease.moved_out';

/** What both say; the lease is the key of the job. */
export interface LeaseMoved {
  readonly leaseId: string;
  /** 'YYYY-MM-DD' on the site's calendar: the day at whose beginning the spaces changed hands. */
  readonly date: string;
  readonly readings: readonly { readonly usagePointId: string; readonly counts: number }[];
}

/** Places of a move where a test can end the transaction. */
export type MoveStep = 'lease-changed' | 'spaces-changed' | 'told';

export interface MoveDeps {
  /** Of these usage points, those that measure one of the spaces. From the slice of meters, which stands above this one. */
  readonly usagePointsOf: (
    trx: Db,
    accountId: string,
    spaceIds: readonly string[],
    usagePointIds: readonly string[],
  ) => Promise<readonly string[]>;
  readonly step?: (name: MoveStep) => void;
}

interface HeldSpace {
  readonly id: string;
  readonly key: string;
  readonly state: SpaceState;
}

/**
 * Hands the spaces of a lease to its tenant: days, states and what meters begin with, all or nothing.
 * @throws AppError 'conflict' with why, 'bad_input' on a reading of another space.
 */
export async function moveIn(
  trx: Db,
  deps: MoveDeps,
  editor: Editor,
  lease: LeaseRecord,
  body: MoveBody,
): Promise<void> {
  await askToFollow(trx, editor);
  const { spaces, handover } = await look(trx, editor, lease, body.date);
  requireMove(moveInRefusal(lease, handover), handover);
  await requireReadings(trx, deps, editor, lease, body);
  await setMoved(trx, editor, lease.id, { movedInOn: body.date });
  deps.step?.('lease-changed');
  await followLeases(trx, editor, lease.spaceIds);
  // Whoever has moved in is done with fitting out.
  const why = `moved in: lease ${lease.key}`;
  const isDue = await hasBegun(trx, editor, lease.spaceIds, body.date);
  for (const { id, state } of spaces)
    if (isDue && state === 'fit_out')
      await setSpaceState(trx, editor, { id, from: state, to: 'leased', why });
  deps.step?.('spaces-changed');
  await tell(trx, editor, LEASE_MOVED_IN, lease, body);
  await jobs.cancel(trx, editor.accountId, CLOSE_ACCESS, lease.tenantId);
  deps.step?.('told');
}

/**
 * Takes the spaces back: days, states, what meters end with, and the access of the tenant's people once the day has come
 * and nothing else is leased to it; all or nothing. @throws as moveIn.
 */
export async function moveOut(
  trx: Db,
  deps: MoveDeps,
  editor: Editor,
  lease: LeaseRecord,
  body: MoveBody,
): Promise<void> {
  await askToFollow(trx, editor);
  const { handover, midnight } = await look(trx, editor, lease, body.date);
  requireMove(moveOutRefusal(lease, handover), handover);
  await requireReadings(trx, deps, editor, lease, body);
  await setMoved(trx, editor, lease.id, { movedOutOn: body.date });
  deps.step?.('lease-changed');
  await followLeases(trx, editor, lease.spaceIds);
  deps.step?.('spaces-changed');
  await tell(trx, editor, LEASE_MOVED_OUT, lease, body);
  // Decided by background work, which sees leases of buildings that the one who asks may not.
  const dueAt = midnight > editor.at ? midnight : editor.at;
  await jobs.enqueue(trx, editor.newId, {
    ...{ accountId: editor.accountId, task: CLOSE_ACCESS, key: lease.tenantId, dueAt },
  });
  deps.step?.('told');
}

/** Locks the spaces: of two who hand one over at once the second sees the first. */
async function look(
  trx: Db,
  { accountId, at }: Editor,
  { id, spaceIds, to }: LeaseRecord,
  date: string,
): Promise<{ spaces: readonly HeldSpace[]; handover: Handover; midnight: Date }> {
  const { rows: spaces } = await sql<HeldSpace & { midnight: Date; today: string }>`
    select s.id, s.key, s.state, ${date}::date::timestamp at time zone t.timezone as midnight,
      (${at}::timestamptz at time zone t.timezone)::date::text as today
    from space s join building b on b.id = s.building_id join site t on t.id = b.site_id
    where s.account_id = ${accountId} and s.id = any (${[...spaceIds]}::uuid[]) order by s.id for no key update of s`.execute(
    trx,
  );
  const { rows: others } = await sql<{ taken: boolean }>`
    select exists (
      select from lease_space o where o.account_id = ${accountId} and o.space_id = any (${[...spaceIds]}::uuid[])
        and o.lease_id <> ${id} and daterange(o.from_date, o.to_date) && daterange(${date}, ${to})) as taken`.execute(
    trx,
  );
  const locked = spaces.filter(({ state }) => state === 'locked').map(({ key }) => key);
  const midnight = spaces[0]?.midnight ?? new Date(`${date}T00:00:00Z`);
  const today = spaces[0]?.today ?? at.toISOString().slice(0, 10);
  return { spaces, handover: { date, today, locked, taken: others[0]?.taken ?? false }, midnight };
}

function requireMove(why: MoveRefusal | undefined, { date, locked }: Handover): void {
  if (why === undefined) return;
  const spaces = why === 'space_locked' ? { spaces: locked } : {};
  throw new AppError('conflict', `spaces cannot change hands: ${why}`, { details: { why, date, ...spaces } });
}

const elsewhere = { en: 'measures none of the spaces', zh: '不是所涉空间的计量点' };

async function requireReadings(
  trx: Db,
  { usagePointsOf }: MoveDeps,
  { accountId }: Editor,
  { spaceIds }: LeaseRecord,
  { readings = [] }: MoveBody,
): Promise<void> {
  const ids = readings.map(({ usagePointId }) => usagePointId);
  const known = new Set(await usagePointsOf(trx, accountId, spaceIds, ids));
  const faults = ids.flatMap((id, i) => {
    const field = `body.readings.${i}.usagePointId`;
    if (!known.has(id)) return [{ field, message: elsewhere }];
    return ids.indexOf(id) < i ? [{ field, message: fieldWords.twice }] : [];
  });
  if (faults.length > 0) throw badFields(faults);
}

async function setMoved(
  trx: Db,
  { accountId }: Editor,
  id: string,
  days: { readonly movedInOn?: string; readonly movedOutOn?: string },
): Promise<void> {
  await trx.updateTable('lease').set(days).where('accountId', '=', accountId).where('id', '=', id).execute();
}

async function hasBegun(
  trx: Db,
  { at }: Editor,
  spaceIds: readonly string[],
  date: string,
): Promise<boolean> {
  const { rows } = await sql<{ begun: boolean }>`
    select bool_and(${date}::date::timestamp at time zone t.timezone <= ${at}) as begun
    from space s join building b on b.id = s.building_id join site t on t.id = b.site_id
    where s.id = any (${[...spaceIds]}::uuid[])`.execute(trx);
  return rows[0]?.begun ?? false;
}

async function tell(
  trx: Db,
  editor: Editor,
  task: typeof LEASE_MOVED_IN | typeof LEASE_MOVED_OUT,
  { id: leaseId, tenantId }: LeaseRecord,
  { date, readings = [] }: MoveBody,
): Promise<void> {
  const { accountId, at, newId } = editor;
  const payload = { leaseId, date, readings } satisfies LeaseMoved;
  await jobs.enqueue(trx, newId, { accountId, task, key: leaseId, payload, dueAt: at });
  await happened(trx, newId, { accountId, kind: task, at, data: { leaseId, tenantId } });
}
