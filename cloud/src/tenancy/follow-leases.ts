import './tables.ts';
import type { SpaceState } from '@parkline/contract';
import { sql } from 'kysely';
import { dayOfSpace, followedState } from '../places/index.ts';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import { jobs } from '../platform/jobs.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';

/** Looks at the days of an account's leases: now, and when the next one begins or ends. */
export const FOLLOW = 'tenancy.follow';
const KEY = 'spaces';

/** PostgreSQL takes 65,535 values in a statement. */
const ROWS_AT_ONCE = 2_000;
/** The rows of one statement after another. */
export const inStatements = <T>(rows: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(rows.length / ROWS_AT_ONCE) }, (_, n) =>
    rows.slice(n * ROWS_AT_ONCE, (n + 1) * ROWS_AT_ONCE),
  );

export interface Follower {
  readonly accountId: string;
  readonly at: Date;
  readonly newId: NewId;
}

interface SpaceOfToday {
  readonly id: string;
  readonly state: SpaceState;
  readonly leased: boolean;
  /** Key of the lease that runs today. */
  readonly lease: string | null;
}

/**
 * Brings the states of spaces to what the leases of today say; `spaceIds` left out: all of the account that are in sight.
 * Doing it again changes nothing.
 */
export async function followLeases(
  trx: Db,
  { accountId, at, newId }: Follower,
  spaceIds?: readonly string[],
): Promise<void> {
  const { rows } = await sql<SpaceOfToday>`
    select s.id, s.state, l.key is not null as leased, l.key as lease
    from space s
    left join lateral (
      select l.key from lease_space ls join lease l on l.id = ls.lease_id
      where ls.account_id = s.account_id and ls.space_id = s.id and ls.from_date <= ${dayOfSpace(at)}
        and (ls.to_date is null or ls.to_date > ${dayOfSpace(at)}) limit 1
    ) l on true
    where s.account_id = ${accountId} ${spaceIds ? sql`and s.id = any (${[...spaceIds]}::uuid[])` : sql``}
      and s.state in ('vacant', 'intent', 'leased')
    order by s.id for no key update of s`.execute(trx);
  const changes = rows.flatMap(({ id, state, leased, lease }) => {
    const to = followedState(state, leased);
    return to === state ? [] : [{ id, from: state, to, why: lease === null ? 'no lease' : `lease ${lease}` }];
  });
  await setSpaceStates(trx, { accountId, at, newId, personId: null }, changes);
}

type Changer = Follower & { readonly personId: string | null };
/** Of a space, and why. */
interface StateChange {
  readonly id: string;
  readonly from: SpaceState;
  readonly to: SpaceState;
  readonly why: string;
}

/** Changes a state and writes down who did and why. */
export const setSpaceState = (trx: Db, changer: Changer, change: StateChange): Promise<void> =>
  setSpaceStates(trx, changer, [change]);

/** The same for many, each of which is there once. */
export async function setSpaceStates(
  trx: Db,
  { accountId, at, newId, personId }: Changer,
  changes: readonly StateChange[],
): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    update space s set state = c.to, version = s.version + 1
    from jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) c (id uuid, "to" text)
    where s.account_id = ${accountId} and s.id = c.id`.execute(trx);
  const told = changes.map(({ id, from, to, why }) => ({
    ...{ id: newId(), accountId, spaceId: id, at, personId, why },
    ...{ fromState: from, state: to },
  }));
  for (const some of inStatements(told)) await trx.insertInto('spaceStateChange').values(some).execute();
}

/**
 * Has the worker look at once: whoever asks for it may not see every lease that the next day depends on. Called before anything
 * locks a space: the worker has this job in hand when it locks them, and who took the other order would wait for it for ever.
 */
export const askToFollow = (trx: Db, { accountId, at, newId }: Follower): Promise<void> =>
  jobs.enqueue(trx, newId, { accountId, task: FOLLOW, key: KEY, dueAt: at });

/** Midnight of the site on the next day that a lease begins or ends; undefined when none will. */
async function nextDay(trx: Db, accountId: string, at: Date): Promise<Date | undefined> {
  const { rows } = await sql<{ due: Date | null }>`
    select min(d.day::timestamp at time zone t.timezone) as due
    from lease_space ls
    join space s on s.account_id = ls.account_id and s.id = ls.space_id
    join building b on b.id = s.building_id join site t on t.id = b.site_id
    cross join lateral (values (ls.from_date), (ls.to_date)) d (day)
    where ls.account_id = ${accountId} and d.day::timestamp at time zone t.timezone > ${at}`.execute(trx);
  return rows[0]?.due ?? undefined;
}

/** Days begin without anybody asking. */
export const followJobs = ({
  now,
  newId,
}: {
  readonly now: () => Date;
  readonly newId: NewId;
}): JobHandlers => ({
  async [FOLLOW](trx, { accountId }) {
    const at = now();
    await followLeases(trx, { accountId, at, newId });
    const dueAt = await nextDay(trx, accountId, at);
    if (dueAt) await jobs.enqueue(trx, newId, { accountId, task: FOLLOW, key: KEY, dueAt });
  },
});
